#include "ctl/output.hpp"
#include "run_ctl.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace chargifyd::ctl {
namespace {

const std::vector<column> columns = {{"id", kind::integer},  {"name"},           {"created_at", kind::time},
                                     {"active", kind::flag}, {"ms", kind::real}, {"attributes", kind::json}};

std::vector<std::vector<cell>> some_rows()
{
    return {{std::int64_t{7}, "Ann, \"A\"", "2026-01-15T15:00:00Z", true, 1.5, R"({"a":[1,2]})"},
            {std::int64_t{12345678901}, cell(), cell(), std::int64_t{0}, cell(), "not json"}};
}

std::string written(form how, bool terminal, const std::vector<std::vector<cell>>& rows,
                    row_writer::length length = row_writer::length::finite)
{
    string_sink sink;
    output to(sink, how, terminal, false);
    row_writer writer(to, columns, length);
    for (const auto& cells : rows)
        writer.row(cells);
    writer.finish();
    EXPECT_EQ(sink.flushed, sink.text.size());
    return sink.text;
}

TEST(output, a_table_is_aligned)
{
    EXPECT_EQ(written(form::table, true, some_rows()),
              "         id  name      created_at            active     ms  attributes\n"
              "          7  Ann, \"A\"  2026-01-15T15:00:00Z  yes     1.500  {\"a\":[1,2]}\n"
              "12345678901  -         -                     no          -  not json\n");
}

TEST(output, a_table_without_rows_has_its_header)
{
    EXPECT_EQ(written(form::table, true, {}), "id  name  created_at  active  ms  attributes\n");
}

TEST(output, json_has_numbers_flags_and_null)
{
    EXPECT_EQ(
        written(form::json, false, some_rows()),
        "[\n"
        R"({"id":7,"name":"Ann, \"A\"","created_at":"2026-01-15T15:00:00Z","active":true,"ms":1.5,)"
        R"("attributes":{"a":[1,2]}},)"
        "\n"
        R"({"id":12345678901,"name":null,"created_at":null,"active":false,"ms":null,"attributes":"not json"})"
        "\n]\n");
    EXPECT_EQ(written(form::json, false, {}), "[]\n");
}

TEST(output, endless_json_is_an_object_a_line)
{
    const std::string text = written(form::json, false, some_rows(), row_writer::length::endless);
    std::istringstream lines(text);
    std::string line;
    int count = 0;
    for (; std::getline(lines, line); ++count)
        EXPECT_TRUE(nlohmann::json::parse(line).is_object());
    EXPECT_EQ(count, 2);
    EXPECT_EQ(written(form::json, false, {}, row_writer::length::endless), "");
}

TEST(output, csv_follows_rfc_4180)
{
    EXPECT_EQ(written(form::csv, false, some_rows()),
              "id,name,created_at,active,ms,attributes\r\n"
              "7,\"Ann, \"\"A\"\"\",2026-01-15T15:00:00Z,true,1.5,\"{\"\"a\"\":[1,2]}\"\r\n"
              "12345678901,,,false,,not json\r\n");
}

std::string one_text(form how, bool terminal, const std::string& text)
{
    string_sink sink;
    output to(sink, how, terminal, false);
    row_writer writer(to, {{"t"}});
    writer.row({text});
    writer.finish();
    return sink.text;
}

TEST(output, no_form_lets_data_drive_a_terminal)
{
    const std::string evil = "\x1b[2J\xc2\x9b"
                             "A\x7f\xe2\x80\xae";
    for (const form how : {form::table, form::json, form::csv}) {
        for (const char c : one_text(how, true, evil))
            EXPECT_TRUE(c == '\n' || c == '\r' || (c >= ' ' && c < '\x7f')) << static_cast<int>(how);
    }
}

TEST(output, a_pipe_gets_the_data_unchanged)
{
    EXPECT_EQ(one_text(form::csv, false, "\x1b Zo\xc3\xab"), "t\r\n\x1b Zo\xc3\xab\r\n");
    EXPECT_EQ(one_text(form::json, false, "Zo\xc3\xab"), "[\n{\"t\":\"Zo\xc3\xab\"}\n]\n");
    EXPECT_TRUE(nlohmann::json::accept(one_text(form::json, false, "not utf-8 \xff")));
}

TEST(output, rows_are_not_held_back)
{
    string_sink sink;
    output to(sink, form::table, true, false);
    row_writer writer(to, {{"n", kind::integer}});
    std::size_t before = 0;
    for (std::int64_t i = 0; i < 1000; ++i) {
        writer.row({i});
        if (i >= 250) {
            EXPECT_GT(sink.text.size(), before);
        }
        before = sink.text.size();
    }
}

TEST(output, flush_shows_rows_and_settles_widths)
{
    string_sink sink;
    output to(sink, form::table, true, false);
    row_writer writer(to, {{"n", kind::integer, 4}, {"t"}, {"u"}});
    writer.row({std::int64_t{1}, "a", "x"});
    writer.flush();
    EXPECT_EQ(sink.text, "   n  t  u\n   1  a  x\n");
    EXPECT_EQ(sink.flushed, sink.text.size());
    writer.row({std::int64_t{123456}, "wide", "y"});
    writer.row({std::int64_t{2}, "b", "z"});
    writer.finish();
    EXPECT_EQ(sink.text, "   n  t  u\n   1  a  x\n123456  wide  y\n   2  b  z\n");
}

TEST(output, an_object_stands_alone)
{
    const std::vector<column> two = {{"id", kind::integer}, {"reference"}};
    const auto written_as = [&two](form how) {
        string_sink sink;
        output to(sink, how, how == form::table, false);
        write_object(to, two, {std::int64_t{5}, cell()});
        return sink.text;
    };
    EXPECT_EQ(written_as(form::table), "id         5\nreference  -\n");
    EXPECT_EQ(written_as(form::json), "{\n  \"id\": 5,\n  \"reference\": null\n}\n");
    EXPECT_EQ(written_as(form::csv), "id,reference\r\n5,\r\n");
}

TEST(output, headers_are_bold_only_with_colours)
{
    string_sink sink;
    output to(sink, form::table, true, true);
    row_writer writer(to, {{"t"}});
    writer.finish();
    EXPECT_EQ(sink.text, "\x1b[1mt\x1b[0m\n");
}

TEST(output, a_row_of_another_size_is_a_bug)
{
    string_sink sink;
    output to(sink, form::json, false, false);
    row_writer writer(to, {{"a"}, {"b"}});
    EXPECT_THROW(writer.row({"1"}), std::logic_error);
    EXPECT_THROW(write_object(to, {{"a"}}, {}), std::logic_error);
}

} // namespace
} // namespace chargifyd::ctl
