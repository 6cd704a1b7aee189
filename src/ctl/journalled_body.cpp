#include "ctl/journalled_body.hpp"

#include "chargifyd/chargify/form.hpp"
#include "chargifyd/pipeline/rebuild.hpp"

#include <limits>

namespace chargifyd::ctl {

namespace {

constexpr const char* masked = "(masked; --raw shows it)";

/// `payload[subscription][id]` of a leaf.
std::string full_key(const chargify::form& tree, chargify::form::index leaf)
{
    std::vector<std::string_view> parts;
    for (auto i = leaf; i != chargify::form::root; i = tree.at(i).parent)
        parts.push_back(tree.at(i).key);
    std::string key(parts.back());
    for (std::size_t i = parts.size() - 1; i-- > 0;)
        key += "[" + std::string(parts[i]) + "]";
    return key;
}

} // namespace

journal::record read_webhook(context& ctx, std::uint64_t sequence)
{
    if (sequence == 0)
        throw failure(exit_code::usage, "webhooks are numbered from 1");
    auto reader = value_or_fail(journal::reader::open(
        ctx.state_directory() / pipeline::journal_directory_name, journal::real_file_system(), sequence - 1));
    journal::record r;
    // A bound would promise that the journal goes that far.
    if (!value_or_fail(reader.next(r, std::numeric_limits<std::uint64_t>::max())))
        throw failure(exit_code::not_found, "the journal has no webhook " + std::to_string(sequence));
    return r;
}

void write_body(context& ctx, const journal::record& r, bool raw)
{
    if (raw) {
        ctx.out().write(r.body);
        ctx.out().flush();
        return;
    }
    const auto tree = chargify::form::parse(r.body);
    if (!tree)
        throw failure(exit_code::failed,
                      "the body cannot be decoded (" + tree.error().message + "); --raw shows it");
    row_writer rows(ctx.out(), {{"key"}, {"value"}});
    for (chargify::form::index i = 1; i < tree->size(); ++i) {
        const auto& node = tree->at(i);
        if (node.is_branch)
            continue;
        const bool is_token = node.key.find("token") != std::string_view::npos && !node.value.empty();
        rows.row({chargify::clean_utf8(full_key(*tree, i)),
                  is_token ? std::string(masked) : chargify::clean_utf8(node.value)});
    }
    rows.finish();
}

} // namespace chargifyd::ctl
