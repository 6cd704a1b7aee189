#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/sqlite/database.hpp"
#include "chargifyd/state/tables.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The questions people ask of `state.db`, for `chargifyctl` and the operator's HTTP.
namespace chargifyd::state {

/// SQL made here, with values only as parameters.
struct query {
    std::string sql;
    std::vector<value> parameters;
};

/// Empty members do not filter. `limit` 0: all.
struct subscription_filter {
    std::optional<std::int64_t> id;
    std::string site;
    std::string state;
    std::string customer_reference;
    std::optional<std::int64_t> customer_id;
    std::uint64_t limit = 0;
};
struct customer_filter {
    std::optional<std::int64_t> id;
    std::string site;
    std::string reference;
    std::uint64_t limit = 0;
};
struct event_filter {
    std::optional<std::uint64_t> sequence;
    std::string site;
    std::string event;
    std::string outcome;
    std::optional<std::int64_t> subscription_id;
    std::uint64_t after = 0; ///< sequences above this, oldest first
    bool newest = false;     ///< the newest `limit` ones, still printed oldest first
    std::uint64_t limit = 0;
};

query list_subscriptions(const subscription_filter& with); ///< the columns people read, with access
query show_subscription(const subscription_filter& with);  ///< every public column
query list_customers(const customer_filter& with);
query show_customer(const customer_filter& with);
query list_events(const event_filter& with);
query subscription_history(const subscription_filter& with);
query summary_by_site(); ///< per site: webhooks, last received, dead, subscriptions

struct result_column {
    std::string name;
    column_kind kind;
};

/// A reader of a state file, read-only. One thread.
class state_reader {
public:
    /// errc::not_found: no such file. errc::invalid, errc::corrupt: not a state file that this version can
    /// read.
    static result<state_reader> open(const std::filesystem::path& file);

    /// Runs a query; `on_row` gets each row until it returns false. Errors: errc::io, errc::corrupt.
    result<void> run(const query& q, const std::function<void(std::span<const result_column>)>& on_columns,
                     const std::function<bool(std::span<const value>)>& on_row);

    /// How far the journal is applied, and which journal that is.
    result<std::uint64_t> cursor();
    result<std::string> journal_id();
    /// SQLite's own full check: empty when sound.
    result<std::vector<std::string>> integrity_problems();

private:
    state_reader(std::filesystem::path file, sqlite::database db);
    std::filesystem::path file_;
    sqlite::database db_;
};

} // namespace chargifyd::state
