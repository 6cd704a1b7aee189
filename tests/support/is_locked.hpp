#pragma once

#include "chargifyd/sqlite/database.hpp"

namespace chargifyd::test {

/// Whether another connection has the one right to write. Does not wait when `asking` has no busy timeout.
inline bool is_locked(sqlite::database& asking)
{
    try {
        sqlite::write_transaction probe(asking);
        return false;
    } catch (const sqlite::failure& e) {
        return e.busy();
    }
}

} // namespace chargifyd::test
