#include "chargifyd/chargify/sha256.hpp"
#include "chargifyd/chargify/signature.hpp"

#include <gtest/gtest.h>

#include <set>

namespace chargifyd::chargify {
namespace {

constexpr std::string_view key = "the shared key";
constexpr std::string_view body =
    "id=12&event=payment_success&payload[subscription][id]=7&payload[customer][name]="
    "Ann%20Lee&payload[when]=2026-01-15%2010%3A00%3A00%20-0500&payload[memo]=Isn't%20it!";

std::string signed_with(std::string_view with_key, std::string_view what)
{
    return to_hex(hmac_sha256(with_key, what));
}

signature_fault of_body(std::string_view signed_body)
{
    return diagnose_signature(key, body, signed_with(key, signed_body));
}

signature_fault of_key(std::string_view signed_key)
{
    return diagnose_signature(key, body, signed_with(signed_key, body));
}

TEST(diagnosis, finds_nothing_wrong_with_a_match)
{
    EXPECT_EQ(of_body(body), signature_fault::none);
    std::string upper = signed_with(key, body);
    for (char& c : upper)
        c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
    EXPECT_EQ(diagnose_signature(key, body, upper), signature_fault::none);
}

TEST(diagnosis, names_a_malformed_signature)
{
    const std::string right = signed_with(key, body);
    for (const std::string& given :
         {std::string(), right.substr(1), right + "0", " " + right, right + "\n", "\"" + right + "\"",
          "sha256=" + right, std::string(64, 'g'), std::string(32, 'a')})
        EXPECT_EQ(diagnose_signature(key, body, given), signature_fault::malformed) << given;
}

TEST(diagnosis, recognises_the_md5)
{
    const std::string md5 = legacy_md5_signature(key, body);
    ASSERT_EQ(md5.size(), 32U);
    EXPECT_EQ(diagnose_signature(key, body, md5), signature_fault::legacy_md5);
    EXPECT_EQ(diagnose_signature("another", body, md5), signature_fault::malformed);
}

TEST(diagnosis, recognises_line_ends)
{
    const std::string ended = std::string(body) + "\n";
    EXPECT_EQ(of_body(ended), signature_fault::trailing_newline);
    EXPECT_EQ(of_body(std::string(body) + "\r\n"), signature_fault::trailing_newline);
    EXPECT_EQ(diagnose_signature(key, ended, signed_with(key, body)), signature_fault::trailing_newline);
    EXPECT_EQ(diagnose_signature(key, std::string(body) + "\r\n", signed_with(key, ended)),
              signature_fault::trailing_newline);
    EXPECT_EQ(diagnose_signature(key, ended, signed_with(key, std::string(body) + "\r\n")),
              signature_fault::trailing_newline);
}

TEST(diagnosis, recognises_bodies_written_by_other_libraries)
{
    const std::string encoded_brackets =
        "id=12&event=payment_success&payload%5Bsubscription%5D%5Bid%5D=7&payload%5Bcustomer%5D%5Bname%5D=Ann%"
        "20Lee"
        "&payload%5Bwhen%5D=2026-01-15%2010%3A00%3A00%20-0500&payload%5Bmemo%5D=Isn't%20it!";
    const std::string quote_plus =
        "id=12&event=payment_success&payload%5Bsubscription%5D%5Bid%5D=7&payload%5Bcustomer%5D%5Bname%5D=Ann+"
        "Lee"
        "&payload%5Bwhen%5D=2026-01-15+10%3A00%3A00+-0500&payload%5Bmemo%5D=Isn%27t+it%21";
    const std::string lower_hex =
        "id=12&event=payment_success&payload[subscription][id]=7&payload[customer][name]=Ann%20Lee"
        "&payload[when]=2026-01-15%2010%3a00%3a00%20-0500&payload[memo]=Isn't%20it!";
    const std::string decoded =
        "id=12&event=payment_success&payload[subscription][id]=7&payload[customer][name]=Ann Lee"
        "&payload[when]=2026-01-15 10:00:00 -0500&payload[memo]=Isn't it!";
    for (const std::string& other : {encoded_brackets, quote_plus, lower_hex, decoded}) {
        EXPECT_EQ(of_body(other), signature_fault::reencoded_body) << other;
        EXPECT_EQ(diagnose_signature(key, other, signed_with(key, body)), signature_fault::reencoded_body)
            << other;
    }
}

TEST(diagnosis, recognises_hashes_that_are_not_keyed)
{
    const std::string k(key);
    const std::string b(body);
    for (const std::string& hashed : {b, k + b, b + k})
        EXPECT_EQ(diagnose_signature(key, body, to_hex(sha256(hashed))), signature_fault::plain_hash);
}

TEST(diagnosis, recognises_white_space_around_the_key)
{
    for (const char* around : {"\n", "\r\n", " ", "\t"}) {
        EXPECT_EQ(of_key(std::string(key) + around), signature_fault::key_whitespace);
        EXPECT_EQ(diagnose_signature(std::string(key) + around, body, signed_with(key, body)),
                  signature_fault::key_whitespace);
    }
    EXPECT_EQ(of_key(" " + std::string(key)), signature_fault::key_whitespace);
}

TEST(diagnosis, recognises_an_empty_key)
{
    EXPECT_EQ(of_key(""), signature_fault::empty_key);
    EXPECT_EQ(diagnose_signature("", body, signed_with("", body)), signature_fault::empty_key);
    EXPECT_EQ(diagnose_signature(" \n", body, signed_with("", body)), signature_fault::empty_key);
}

TEST(diagnosis, else_it_is_another_key_or_body)
{
    EXPECT_EQ(of_key("an API key"), signature_fault::wrong_key);
    EXPECT_EQ(of_body("id=13"), signature_fault::wrong_key);
    EXPECT_EQ(diagnose_signature("", body, signed_with("k", body)), signature_fault::wrong_key);
    EXPECT_EQ(diagnose_signature(key, "", std::string(64, '0')), signature_fault::wrong_key);
    EXPECT_EQ(diagnose_signature(key, "%", std::string(64, '0')), signature_fault::wrong_key);
}

TEST(diagnosis, explains_every_fault_in_its_own_words)
{
    using enum signature_fault;
    std::set<std::string_view> texts;
    for (const signature_fault fault : {none, malformed, legacy_md5, trailing_newline, reencoded_body,
                                        plain_hash, key_whitespace, empty_key, wrong_key}) {
        EXPECT_TRUE(explain(fault).ends_with('.') || explain(fault).ends_with(')'));
        texts.insert(explain(fault));
    }
    EXPECT_EQ(texts.size(), 9U);
}

} // namespace
} // namespace chargifyd::chargify
