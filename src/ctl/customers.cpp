#include "ctl/commands.hpp"
#include "ctl/state_rows.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <memory>

namespace chargifyd::ctl {

namespace {

struct customer_options {
    std::string which;
    state::customer_filter filter;
};

/// Whether a query finds anything.
bool finds(state::state_reader& state, const state::query& q)
{
    bool found = false;
    const auto done = state.run(q, {}, [&](std::span<const state::value>) {
        found = true;
        return false;
    });
    if (!done)
        throw failure(done.error());
    return found;
}

exit_code list_or_show(context& ctx, customer_options with)
{
    state::state_reader state = open_state(ctx);
    if (with.which.empty()) {
        write_rows(ctx, state, state::list_customers(with.filter));
        return exit_code::done;
    }
    // A reference may look like a number; it comes first, for it is the user's own name of the customer.
    state::customer_filter by_reference = with.filter;
    by_reference.reference = with.which;
    state::query q = state::show_customer(by_reference);
    if (!finds(state, q)) {
        std::int64_t id = 0;
        const char* const end = with.which.data() + with.which.size();
        if (const auto [at, failed] = std::from_chars(with.which.data(), end, id);
            failed == std::errc() && at == end) {
            with.filter.id = id;
            q = state::show_customer(with.filter);
        }
    }
    write_one(ctx, state, q, "no customer with the id or reference '" + with.which + "'");
    return exit_code::done;
}

} // namespace

void add_customers(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<customer_options>();
    CLI::App& command = add_command(app, ctx, "customers", "List customers, or show one",
                                    "Examples:\n"
                                    "  chargifyctl customers --limit 20\n"
                                    "  chargifyctl customers user-42\n"
                                    "  chargifyctl customers 14585695",
                                    [with](context& c) { return list_or_show(c, *with); });
    command.add_option("CUSTOMER", with->which, "Show this one: its reference, or its id at Chargify")
        ->type_name("");
    command.add_option("--site", with->filter.site, "Only of this site")->type_name("SITE");
    command.add_option("--limit", with->filter.limit, "At most so many (default: all)")->type_name("N");
}

} // namespace chargifyd::ctl
