#include "ctl/soundness.hpp"

#include "ctl/failure.hpp"

#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/state/queries.hpp"
#include "chargifyd/state/sqlite_store.hpp"

namespace chargifyd::ctl {

namespace {

namespace fs = std::filesystem;

/// Every webhook up to the cursor was counted once, in the transaction that applied it.
void check_counts(state::state_reader& state, const fs::path& file, std::vector<std::string>& problems)
{
    const auto counted = state.run(
        {"SELECT (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'cursor') - "
         "(SELECT coalesce(sum(webhooks), 0) FROM sites)",
         {}},
        {}, [&](std::span<const state::value> row) {
            if (const auto* difference = std::get_if<std::int64_t>(&row[0]);
                difference == nullptr || *difference != 0)
                problems.push_back(file.string() + ": its count of webhooks does not fit its cursor");
            return false;
        });
    if (!counted)
        throw failure(counted.error());
}

void check_state(const fs::path& file, bool thorough, soundness& into)
{
    auto state = value_or_fail(state::state_reader::open(file));
    if (thorough)
        for (const std::string& p : value_or_fail(state.integrity_problems()))
            into.problems.push_back(file.string() + ": " + p);
    if (value_or_fail(state.journal_id()) != into.journal.id)
        into.problems.push_back(file.string() + " was made from another journal");
    into.applied = value_or_fail(state.cursor());
    check_counts(state, file, into.problems);
}

} // namespace

soundness examine(const fs::path& state_directory, bool thorough,
                  const std::function<void(std::uint64_t done, std::uint64_t total)>& progress)
{
    const fs::path journal = state_directory / pipeline::journal_directory_name;
    soundness found;
    found.journal = value_or_fail(journal::verify(journal, journal::real_file_system(), thorough, progress));
    if (found.journal.id.empty())
        throw failure(exit_code::not_found, "there is no journal in " + state_directory.string());
    found.problems = found.journal.problems;
    check_state(state_directory / state::state_file_name, thorough, found);
    // A running daemon goes on: what the state has by now, the journal of a moment ago need not have had.
    if (found.applied > found.journal.last_sequence)
        found.journal.last_sequence =
            value_or_fail(journal::verify(journal, journal::real_file_system(), false)).last_sequence;
    if (found.applied > found.journal.last_sequence)
        found.problems.push_back("the state has webhooks up to " + std::to_string(found.applied) +
                                 ", the journal only up to " + std::to_string(found.journal.last_sequence));
    return found;
}

} // namespace chargifyd::ctl
