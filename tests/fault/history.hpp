#pragma once

#include "database_dump.hpp"
#include "fault_vfs.hpp"
#include "filled_journal.hpp"
#include "temporary_directory.hpp"
#include "webhook_body.hpp"

#include "chargifyd/pipeline/follower.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

namespace chargifyd::test {

/// A journal of a few webhooks, and what a state that applied them without faults holds.
class history {
public:
    explicit history(int webhooks)
    {
        filled_journal journal(folder_ / "journal");
        for (int i = 1; i <= webhooks; ++i) {
            subscription_body body;
            body.webhook_id = i;
            body.event_id = i;
            body.id = 100 + i % 3;
            body.state = i % 4 == 0 ? "past_due" : "active";
            body.updated_at = "2026-01-" + std::to_string(10 + i % 18) + " 10:00:00 -0500";
            body.first_name = std::string(600, static_cast<char>('a' + i % 26));
            // One in five cannot be read, and one is there twice.
            journal.append(i % 5 == 0 ? "id=%" + std::to_string(i) : body.str());
        }
        journal.append(subscription_body{}.str());
        end_ = static_cast<std::uint64_t>(webhooks) + 1;
        journal_id_ = journal.log().id();
        journal.log().close();

        const std::filesystem::path file = folder_ / "reference.db";
        {
            auto store = open(file);
            follow(*store);
        }
        rows_ = dump(file);
    }

    std::unique_ptr<state::sqlite_store> open(const std::filesystem::path& file) const
    {
        auto opened = state::sqlite_store::open(file, journal_id_, {});
        if (!opened)
            throw std::runtime_error(opened.error().message);
        return std::move(*opened);
    }

    /// A follower that commits every four webhooks and parses on its own thread.
    std::unique_ptr<pipeline::follower> follower(state::store& into) const
    {
        pipeline::options with;
        with.workers = 1;
        with.batch_webhooks = 4;
        return std::make_unique<pipeline::follower>(folder_ / "journal", journal::real_file_system(), into,
                                                    with, nullptr);
    }

    /// Applies the rest of the journal.
    void follow(state::store& into) const
    {
        const auto reached = follower(into)->advance(end_, {});
        if (!reached)
            throw std::runtime_error(reached.error().message);
        if (*reached != end_)
            throw std::runtime_error("stopped at " + std::to_string(*reached));
    }

    std::uint64_t end() const { return end_; }
    const std::string& rows() const { return rows_; }

    /// Why the file, as a start finds it, cannot be brought to the rows of a run without faults; empty: it
    /// can.
    std::string judge(const std::filesystem::path& file, std::uint64_t at_least, std::uint64_t at_most) const
    {
        try {
            auto store = open(file);
            const std::uint64_t cursor = store->cursor();
            if (cursor < at_least)
                return "the cursor is " + std::to_string(cursor) + ", " + std::to_string(at_least) +
                       " was synced";
            if (cursor > at_most)
                return "the cursor is " + std::to_string(cursor) + ", applied was " + std::to_string(at_most);
            follow(*store);
            store.reset();
            sqlite::database db(file, sqlite::access::read_only);
            if (const std::string said = db.text("PRAGMA integrity_check"); said != "ok")
                return said;
            return dump(file) == rows_ ? "" : "other rows than without faults";
        } catch (const std::exception& e) {
            return e.what();
        }
    }

private:
    temporary_directory folder_;
    std::uint64_t end_ = 0;
    std::string journal_id_;
    std::string rows_;
};

} // namespace chargifyd::test
