#include "ctl/commands.hpp"
#include "ctl/header_block.hpp"
#include "ctl/input.hpp"
#include "ctl/keys.hpp"

#include "chargifyd/chargify/signature.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace chargifyd::ctl {

namespace {

using chargify::signature_fault;

struct verify_options {
    key_options key;
    std::string signature;
    std::filesystem::path headers;
    std::filesystem::path body;
};

std::string given_signature(const verify_options& with)
{
    if (with.signature.empty() == with.headers.empty())
        throw failure(exit_code::usage, "give the signature: either --signature HEX or --headers FILE");
    if (!with.signature.empty())
        return with.signature;
    if (is_standard_input(with.headers) && is_standard_input(with.body))
        throw failure(exit_code::usage,
                      "headers and body cannot both come from standard input; name the body's file");
    auto found = signature_in(value_or_fail(read_input(with.headers)));
    if (!found)
        throw failure(exit_code::failed, found.error().message);
    return std::move(*found);
}

struct verdict {
    signature_fault fault = signature_fault::wrong_key;
    std::int64_t key = 0; ///< the one that told, counted from 1
};

/// Any key may match. If none does, the most telling mistake under any of them is kept.
verdict judge(const std::vector<secret>& keys, std::string_view body, std::string_view signature)
{
    verdict best;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const signature_fault fault = chargify::diagnose_signature(keys[i].reveal(), body, signature);
        const auto number = static_cast<std::int64_t>(i + 1);
        if (fault == signature_fault::none)
            return {fault, number};
        if (best.fault == signature_fault::wrong_key && fault != signature_fault::wrong_key)
            best = {fault, number};
    }
    return best;
}

exit_code verify(context& ctx, const verify_options& with)
{
    const std::string signature = given_signature(with);
    const std::vector<secret> keys = find_keys(ctx, with.key);
    const std::string body = value_or_fail(read_input(with.body));
    const verdict v = judge(keys, body, signature);
    const bool valid = v.fault == signature_fault::none;
    write_object(ctx.out(), {{"valid", kind::flag}, {"key", kind::integer}, {"explanation"}},
                 {valid, v.key == 0 ? cell() : cell(v.key), std::string(chargify::explain(v.fault))});
    return valid ? exit_code::done : exit_code::failed;
}

} // namespace

void add_verify(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<verify_options>();
    CLI::App& command =
        add_command(app, ctx, "verify", "Check a signature, and name the mistake when it is wrong",
                    "Exit status: 0 the signature matches, 1 it does not.\n\n"
                    "Examples:\n"
                    "  chargifyctl verify --site acme --headers headers.txt body.form\n"
                    "  chargifyctl verify --key-file key --signature 19826d51... body.form",
                    [with](context& c) { return verify(c, *with); });
    add_key_options(command, with->key, "Try every key of this configured site");
    command.add_option("--signature", with->signature, "The signature, as hex")->type_name("HEX");
    command.add_option("--headers", with->headers, "Captured request headers that hold the signature")
        ->type_name("FILE");
    command.add_option("BODYFILE", with->body, "The body, byte for byte; - or nothing: standard input")
        ->type_name("");
}

} // namespace chargifyd::ctl
