#include "chargifyd/chargify/sha256.hpp"
#include "chargifyd/chargify/signature.hpp"

#include <gtest/gtest.h>

#include <array>
#include <latch>
#include <thread>

namespace chargifyd::chargify {
namespace {

std::string hmac_hex(std::string_view key, std::string_view message)
{
    return to_hex(hmac_sha256(key, message));
}

verifier with_keys(std::initializer_list<const char*> keys)
{
    std::vector<secret> secrets;
    for (const char* key : keys)
        secrets.emplace_back(key);
    return verifier(std::move(secrets));
}

// The documentation's worked example.
constexpr std::string_view example_key = "123";
constexpr std::string_view example_body = "payload[chargify]=testing&event=test";
constexpr std::string_view example_signature =
    "19826d51b9f866b26eda1f154de192593360f8d0bcb63df8a28540a5dcf733f1";

TEST(signature, agrees_with_published_examples)
{
    EXPECT_EQ(hmac_hex(example_key, example_body), example_signature);
    EXPECT_EQ(hmac_hex("abc123", "id=15413743&event=test&payload[chargify]=testing"),
              "2867470cda8601e4031a02d1bb8522f3afb447ed95b3274c99f2a5f3d028098c");
    EXPECT_EQ(hmac_hex("0HA1der2ChargifyApi-", example_body),
              "3c8fa20e85f05a762f63ef5988204083223db14a940617f1ea67ca849d958c05");
    EXPECT_EQ(legacy_md5_signature("0HA1der2ChargifyApi-", example_body), "a308aa82241a3dcab03fe4186ab9224e");
}

TEST(signature, agrees_with_rfc_4231)
{
    EXPECT_EQ(hmac_hex(std::string(20, '\x0b'), "Hi There"),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(hmac_hex("Jefe", "what do ya want for nothing?"),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hmac_hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(signature, hashes_without_a_key)
{
    EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(signature, an_empty_key_is_not_the_key_used_before)
{
    EXPECT_NE(hmac_hex("used before", ""), hmac_hex("", ""));
    EXPECT_EQ(hmac_hex({}, {}), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    EXPECT_EQ(hmac_hex("", ""), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(signature, keys_that_take_turns_do_not_get_mixed_up)
{
    std::vector<std::string> keys;
    std::vector<digest256> expected;
    for (int i = 0; i < 7; ++i) {
        keys.push_back("key " + std::to_string(i));
        // A thread of its own has used no key before.
        std::thread([&] { expected.push_back(hmac_sha256(keys.back(), "body")); }).join();
    }
    for (std::size_t turn = 0; turn < 200; ++turn) {
        const std::size_t one = (turn * turn + turn / 9) % keys.size();
        EXPECT_EQ(hmac_sha256(keys[one], "body"), expected[one]) << turn;
    }
}

TEST(signature, a_key_may_hold_any_bytes)
{
    const std::string with_nul("a\0b", 3);
    EXPECT_NE(hmac_hex(with_nul, "m"), hmac_hex("a", "m"));
    std::vector<secret> keys;
    keys.emplace_back(std::string("\xff\x00\n", 3));
    EXPECT_TRUE(verifier(keys).verify("m", hmac_sha256(std::string_view("\xff\x00\n", 3), "m")));
}

TEST(verifier, accepts_the_signature_of_any_of_its_keys)
{
    const digest256 old_key = hmac_sha256("old", example_body);
    const digest256 new_key = hmac_sha256("new", example_body);
    EXPECT_TRUE(with_keys({"old", "new"}).verify(example_body, old_key));
    EXPECT_TRUE(with_keys({"old", "new"}).verify(example_body, new_key));
    EXPECT_FALSE(with_keys({"old"}).verify(example_body, new_key));
    EXPECT_FALSE(with_keys({"new"}).verify(example_body, old_key));
}

TEST(verifier, refuses_every_signature_that_is_one_bit_off)
{
    const verifier v = with_keys({"123"});
    const digest256 right = hmac_sha256(example_key, example_body);
    ASSERT_TRUE(v.verify(example_body, right));
    for (std::size_t bit = 0; bit < 8 * right.size(); ++bit) {
        digest256 wrong = right;
        wrong[bit / 8] = static_cast<unsigned char>(wrong[bit / 8] ^ (1U << (bit % 8)));
        EXPECT_FALSE(v.verify(example_body, wrong)) << bit;
        EXPECT_FALSE(equal_constant_time(right, wrong)) << bit;
    }
}

TEST(verifier, refuses_every_body_that_is_one_bit_off_or_cut)
{
    const verifier v = with_keys({"123"});
    const digest256 right = hmac_sha256(example_key, example_body);
    for (std::size_t bit = 0; bit < 8 * example_body.size(); ++bit) {
        std::string wrong(example_body);
        wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << (bit % 8)));
        EXPECT_FALSE(v.verify(wrong, right)) << bit;
    }
    for (std::size_t length = 0; length < example_body.size(); ++length)
        EXPECT_FALSE(v.verify(example_body.substr(0, length), right)) << length;
    EXPECT_FALSE(v.verify(std::string(example_body) + '\n', right));
}

TEST(verifier, refuses_digests_of_zeros_and_of_the_body_alone)
{
    const verifier v = with_keys({"123"});
    EXPECT_FALSE(v.verify(example_body, digest256{}));
    EXPECT_FALSE(v.verify(example_body, sha256(example_body)));
    EXPECT_FALSE(v.verify(example_body, hmac_sha256("", example_body)));
}

TEST(verifier, an_empty_key_verifies_nothing)
{
    EXPECT_FALSE(with_keys({""}).verify(example_body, hmac_sha256("", example_body)));
    EXPECT_FALSE(with_keys({"123", ""}).verify(example_body, hmac_sha256("", example_body)));
    EXPECT_TRUE(with_keys({"", "123"}).verify(example_body, hmac_sha256("123", example_body)));
    EXPECT_FALSE(verifier({}).verify(example_body, digest256{}));
}

TEST(verifier, works_from_several_threads_at_once)
{
    const verifier v = with_keys({"old", "123"});
    const std::string body(4096, 'b');
    const digest256 right = hmac_sha256(example_key, body);
    const digest256 wrong = hmac_sha256("other", body);
    std::array<int, 4> mistakes{};
    std::latch all_started(static_cast<std::ptrdiff_t>(mistakes.size()));
    std::vector<std::thread> threads;
    for (int& count : mistakes)
        threads.emplace_back([&v, &body, &right, &wrong, &count, &all_started] {
            all_started.arrive_and_wait();
            for (int i = 0; i < 2000; ++i)
                count += v.verify(body, right) && !v.verify(body, wrong) ? 0 : 1;
        });
    for (std::thread& t : threads)
        t.join();
    EXPECT_EQ(mistakes, (std::array<int, 4>{}));
}

} // namespace
} // namespace chargifyd::chargify
