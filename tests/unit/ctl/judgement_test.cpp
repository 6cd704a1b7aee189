#include "ctl/judgement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chargifyd::ctl {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::sys_seconds today{std::chrono::sys_days{std::chrono::year{2026} / 3 / 1}};

TEST(judgement, file_systems_without_locks_or_shared_memory_are_unfit)
{
    for (const std::uint64_t type : {0x6969U, 0xff534d42U, 0xfe534d42U, 0x65735546U, 0x01021997U})
        EXPECT_EQ(judge_file_system(type).how, severity::problem) << type;
    EXPECT_EQ(judge_file_system(0xef53).how, severity::ok) << "ext4";
    EXPECT_EQ(judge_file_system(0x58465342).how, severity::ok) << "xfs";
    EXPECT_EQ(judge_file_system(0x01021994).how, severity::warning) << "tmpfs";
}

TEST(judgement, syncs)
{
    EXPECT_EQ(judge_sync(1ms, 20ms).how, severity::ok);
    EXPECT_EQ(judge_sync(1ms, 21ms).how, severity::warning);
    EXPECT_EQ(judge_sync(1ms, 1000ms).how, severity::warning);
    EXPECT_EQ(judge_sync(1ms, 1001ms).how, severity::problem);
    EXPECT_THAT(judge_sync(1500us, 21ms).text, testing::HasSubstr("1.5 ms to reach the disk (p99 21.0 ms)"));
}

TEST(judgement, space)
{
    constexpr std::uint64_t floor = 268435456;
    EXPECT_EQ(judge_space(floor - 1, floor).how, severity::problem);
    EXPECT_EQ(judge_space(floor, floor).how, severity::warning);
    EXPECT_EQ(judge_space(20 * floor, floor).how, severity::ok);
}

TEST(judgement, versions_of_sqlite_with_the_fault)
{
    for (const char* version : {"3.7.0", "3.40.1", "3.44.5", "3.44.7", "3.50.6", "3.51.2"})
        EXPECT_TRUE(has_wal_reset_fault(version)) << version;
    for (const char* version : {"3.6.23", "3.44.6", "3.50.7", "3.51.3", "3.52.0", "4.0.0"})
        EXPECT_FALSE(has_wal_reset_fault(version)) << version;
}

TEST(judgement, modes)
{
    EXPECT_EQ(judge_mode("/x", 0700, 0750).how, severity::ok);
    EXPECT_EQ(judge_mode("/x", 042750, 0750).how, severity::ok);
    const finding open = judge_mode("/x", 0755, 0750);
    EXPECT_EQ(open.how, severity::problem);
    EXPECT_EQ(open.advice, "chmod 0750 /x");
}

class certificate : public testing::Test {
protected:
    static simulate::certificate_facts good()
    {
        simulate::certificate_facts facts;
        facts.names = {"hooks.example.com"};
        facts.issuer = "CN=R3";
        facts.valid_from = today - std::chrono::days(1);
        facts.valid_until = today + std::chrono::days(60);
        facts.chain = 2;
        facts.key_fits = true;
        return facts;
    }
    static severity worst(const simulate::certificate_facts& facts)
    {
        findings found;
        judge_certificate(facts, today, found);
        severity out = severity::ok;
        for (const finding& f : found.all()) {
            out = std::max(out, f.how);
            EXPECT_EQ(f.how == severity::ok, f.advice.empty()) << f.text;
        }
        return out;
    }
};

TEST_F(certificate, is_good)
{
    EXPECT_EQ(worst(good()), severity::ok);
}

TEST_F(certificate, expires)
{
    auto facts = good();
    facts.valid_until = today + std::chrono::days(30);
    EXPECT_EQ(worst(facts), severity::ok);
    facts.valid_until -= 1s;
    EXPECT_EQ(worst(facts), severity::warning);
    facts.valid_until = today + std::chrono::days(7) - 1s;
    EXPECT_EQ(worst(facts), severity::problem);
    facts.valid_until = today - 1s;
    EXPECT_EQ(worst(facts), severity::problem);
    facts = good();
    facts.valid_from = today + 1s;
    EXPECT_EQ(worst(facts), severity::problem);
}

TEST_F(certificate, has_to_be_whole)
{
    auto facts = good();
    facts.key_fits = false;
    EXPECT_EQ(worst(facts), severity::problem);
    facts = good();
    facts.in_order = false;
    EXPECT_EQ(worst(facts), severity::problem);
    facts = good();
    facts.names.clear();
    EXPECT_EQ(worst(facts), severity::problem);
    facts = good();
    facts.self_signed = true;
    EXPECT_EQ(worst(facts), severity::warning);
    facts = good();
    facts.chain = 1;
    EXPECT_EQ(worst(facts), severity::warning);
}

TEST(judgement, file_limits)
{
    EXPECT_EQ(judge_file_limit(1024, 10000).how, severity::warning);
    EXPECT_EQ(judge_file_limit(65536, 10000).how, severity::ok);
}

TEST(judgement, silence)
{
    EXPECT_EQ(judge_last_webhook("acme", "2026-02-28T00:00:00Z", today).how, severity::ok);
    EXPECT_EQ(judge_last_webhook("acme", "2026-02-27T23:59:59Z", today).how, severity::warning);
    EXPECT_EQ(judge_last_webhook("acme", "", today).how, severity::warning);
}

TEST(judgement, clocks)
{
    EXPECT_EQ(judge_year(today).how, severity::ok);
    EXPECT_EQ(judge_year(std::chrono::sys_seconds(0s)).how, severity::problem);
}

} // namespace
} // namespace chargifyd::ctl
