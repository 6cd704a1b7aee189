#include "state/column_kinds.hpp"

#include <gtest/gtest.h>

namespace chargifyd::state {
namespace {

TEST(column_kinds, a_name_means_the_same_in_every_table)
{
    for (std::size_t kind = 0; kind < object_kinds; ++kind) {
        for (const auto columns : {table_of(kind).keys, table_of(kind).columns}) {
            for (const column& c : columns)
                EXPECT_EQ(kind_of_column(c.name), c.kind) << table_of(kind).name << "." << c.name;
        }
    }
}

TEST(column_kinds, decimals_are_not_numbers)
{
    EXPECT_EQ(kind_of_column("quantity"), column_kind::decimal);
    EXPECT_EQ(kind_of_column("total_amount"), column_kind::decimal);
    EXPECT_EQ(kind_of_column("has_access"), column_kind::flag);
    EXPECT_EQ(kind_of_column("access_until"), column_kind::time);
    EXPECT_EQ(kind_of_column("object_id"), column_kind::text);
    EXPECT_EQ(kind_of_column("no_such_column"), std::nullopt);
}

} // namespace
} // namespace chargifyd::state
