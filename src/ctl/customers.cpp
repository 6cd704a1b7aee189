#include "ctl/commands.hpp"
#include "ctl/moments.hpp"
#include "ctl/state_rows.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <memory>

namespace chargifyd::ctl {

namespace {

struct customer_options {
    std::string which;
    state::customer_filter filter;
    page_options page;
};

/// By reference or, if no customer has that, by id. A reference may look like a number; it comes first, for
/// it is the user's own name of the customer.
state::object_place find(state::state_reader& state, const customer_options& with)
{
    state::object_name name{with.filter.site, {}, with.which};
    const auto by_reference = state::find_customer(state, name);
    if (by_reference)
        return *by_reference;
    if (by_reference.error().code != errc::not_found)
        throw failure(by_reference.error());
    std::int64_t id = 0;
    const char* const end = with.which.data() + with.which.size();
    if (const auto [at, failed] = std::from_chars(with.which.data(), end, id);
        failed == std::errc() && at == end) {
        name.id = id;
        const auto by_id = state::find_customer(state, name);
        if (by_id)
            return *by_id;
        if (by_id.error().code != errc::not_found)
            throw failure(by_id.error());
    }
    throw failure(exit_code::not_found, "no customer with the id or reference '" + with.which + "'");
}

exit_code list_or_show(context& ctx, customer_options with)
{
    state::state_reader state = open_state(ctx);
    if (with.which.empty()) {
        with.filter.updated_since = moment_or_fail(with.filter.updated_since);
        write_list(ctx, state, state::list_customers(with.filter), with.page);
        return exit_code::done;
    }
    const state::object_place which = find(state, with);
    write_with_sections(ctx, state, state::show_customer(which), state::sections_of_customer(which));
    return exit_code::done;
}

} // namespace

void add_customers(CLI::App& app, context& ctx)
{
    const auto with = std::make_shared<customer_options>();
    CLI::App& command = add_command(app, ctx, "customers", "List customers, or show one",
                                    "Examples:\n"
                                    "  chargifyctl customers --limit 20\n"
                                    "  chargifyctl customers --email ada@example.com\n"
                                    "  chargifyctl customers user-42\n"
                                    "  chargifyctl customers 14585695",
                                    [with](context& c) { return list_or_show(c, *with); });
    command.add_option("CUSTOMER", with->which, "Show this one: its reference, or its id at Chargify")
        ->type_name("");
    command.add_option("--email", with->filter.email, "Only with this address")->type_name("ADDRESS");
    command
        .add_option("--updated-since", with->filter.updated_since,
                    std::string("Only changed at Chargify since then: ") + moment_help)
        ->type_name("TIME");
    command.add_option("--site", with->filter.site, "Only of this site")->type_name("SITE");
    add_page_options(command, with->page);
}

} // namespace chargifyd::ctl
