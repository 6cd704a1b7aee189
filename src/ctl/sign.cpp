#include "ctl/commands.hpp"
#include "ctl/input.hpp"
#include "ctl/keys.hpp"

#include "chargifyd/chargify/signature.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace chargifyd::ctl {

namespace {

struct sign_options {
    key_options key;
    std::filesystem::path body;
};

exit_code sign(context& ctx, const sign_options& with)
{
    const secret key = find_keys(ctx, with.key).front();
    const std::string body = value_or_fail(read_input(with.body));
    const std::string signature = to_hex(chargify::hmac_sha256(key.reveal(), body));
    // Bare also when piped, for $(chargifyctl sign ...).
    if (ctx.common.json || ctx.common.csv)
        write_object(ctx.out(), {{"signature"}}, {signature});
    else
        ctx.out().line(signature);
    return exit_code::done;
}

} // namespace

void add_sign(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<sign_options>();
    CLI::App& command = add_command(app, ctx, "sign", "Print the signature of a webhook's body",
                                    "Examples:\n"
                                    "  chargifyctl sign --site acme body.form\n"
                                    "  printf '%s' 'id=1&event=test' | chargifyctl sign --key-file key",
                                    [with](context& c) { return sign(c, *with); });
    add_key_options(command, with->key, "Sign with the first key of this configured site");
    command.add_option("BODYFILE", with->body, "The body, byte for byte; - or nothing: standard input")
        ->type_name("");
}

} // namespace chargifyd::ctl
