#include "ingress/answer.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace chargifyd::ingress {
namespace {

TEST(answer_writer, writes_an_answer)
{
    answer_writer writer;
    answer what;
    what.status = 503;
    what.body = "later\n";
    what.extra = "Retry-After: 5\r\n";
    std::string bytes = "old";
    writer.render(what, true, true, 784111777, bytes);
    EXPECT_EQ(bytes, "HTTP/1.1 503 Service Unavailable\r\n"
                     "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                     "Connection: keep-alive\r\n"
                     "Content-Type: text/plain\r\n"
                     "Content-Length: 6\r\n"
                     "Retry-After: 5\r\n"
                     "\r\n"
                     "later\n");
}

TEST(answer_writer, leaves_the_body_out_for_head)
{
    answer_writer writer;
    answer what;
    what.body = "ok\n";
    std::string bytes;
    writer.render(what, false, false, 0, bytes);
    EXPECT_EQ(bytes, "HTTP/1.1 200 OK\r\n"
                     "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                     "Connection: close\r\n"
                     "Content-Type: text/plain\r\n"
                     "Content-Length: 3\r\n"
                     "\r\n");
}

TEST(answer_writer, gives_204_neither_body_nor_length)
{
    answer_writer writer;
    answer what;
    what.status = 204;
    what.body = "not sent";
    std::string bytes;
    writer.render(what, true, true, 0, bytes);
    EXPECT_EQ(bytes.find("Content-"), std::string::npos);
    EXPECT_TRUE(bytes.ends_with("\r\n\r\n"));
}

TEST(answer_writer, goes_with_the_time)
{
    answer_writer writer;
    std::string bytes;
    for (const auto& [now, date] : {std::pair(1709164799L, "Wed, 28 Feb 2024 23:59:59 GMT"),
                                    std::pair(1709164800L, "Thu, 29 Feb 2024 00:00:00 GMT"),
                                    std::pair(1709164799L, "Wed, 28 Feb 2024 23:59:59 GMT")}) {
        writer.render({}, true, true, now, bytes);
        EXPECT_NE(bytes.find(date), std::string::npos) << bytes;
    }
}

TEST(answer_to, gives_each_refusal_its_status_and_closes)
{
    std::set<unsigned> seen;
    for (const auto reason : all_refusals) {
        const auto made = answer_to(reason);
        EXPECT_TRUE(made.close);
        EXPECT_FALSE(reason_phrase(made.status).empty());
        EXPECT_TRUE(made.body.ends_with("\n"));
        seen.insert(made.status);
    }
    EXPECT_EQ(seen, (std::set<unsigned>{400, 404, 405, 408, 411, 413, 415, 417, 431}));
}

} // namespace
} // namespace chargifyd::ingress
