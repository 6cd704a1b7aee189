#pragma once

#include "temporary_directory.hpp"

#include "chargifyd/sqlite/database.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace chargifyd::test {

/// A state file whose rows a test writes itself.
class state_file {
public:
    using row = std::vector<std::pair<std::string, std::string>>; ///< columns, with their values as SQL

    explicit state_file(const std::filesystem::path& path, const state::options& with = {})
        : db_((made(path, with), path), sqlite::access::read_write)
    {
        site("acme");
    }

    void sql(const std::string& text) { db_.exec(text); }
    std::string text(const std::string& query) { return db_.text(query); }

    void site(const std::string& name)
    {
        sql("INSERT INTO sites (site, webhooks, last_seq, last_received_at) VALUES ('" + name +
            "', 1, 1, '2026-01-01T00:00:00Z')");
    }

    /// Of an object table; of the site acme unless it says otherwise.
    void object(const std::string& table, row columns)
    {
        columns.insert(columns.end(),
                       {{"version_updated_at", "1"}, {"version_event_id", "1"}, {"version_webhook_id", "1"}});
        insert(table, std::move(columns));
    }

    void event(long long seq, const std::string& received_at, row more = {})
    {
        more.insert(more.begin(), {{"seq", std::to_string(seq)},
                                   {"webhook_id", std::to_string(seq)},
                                   {"received_at", "'" + received_at + "'"}});
        if (!has(more, "event"))
            more.emplace_back("event", "'payment_success'");
        if (!has(more, "outcome"))
            more.emplace_back("outcome", "'applied'");
        insert("events", std::move(more));
    }

    /// What a full payload told: that a subscription was in a state. `updated_at` is SQL.
    void timeline(long long subscription_id, const std::string& state, const std::string& updated_at)
    {
        row all = {{"subscription_id", std::to_string(subscription_id)},
                   {"version_updated_at", "unixepoch(" + updated_at + ")"},
                   {"version_event_id", "1"},
                   {"version_webhook_id", "1"},
                   {"seq", "1"},
                   {"state", "'" + state + "'"},
                   {"updated_at", updated_at},
                   {"seen_in_trial", "0"}};
        for (const char* const empty :
             {"product_handle", "next_product", "created_at", "period_started_at", "period_ends_at",
              "next_assessment_at", "previous_billing_date", "cancel_at", "cancellation_method",
              "trial_started_at", "trial_ended_at", "expires_at", "resume_at", "canceled_at", "on_hold_at",
              "seen_period_started_at", "seen_recovered_at", "seen_trial_started_at"})
            all.emplace_back(empty, "''");
        insert("subscription_timeline", std::move(all));
    }

    /// A change that webhook `seq` told.
    void change(long long seq, const std::string& kind, row more = {})
    {
        more.insert(more.begin(), {{"seq", std::to_string(seq)}, {"kind", "'" + kind + "'"}});
        insert("changes", std::move(more));
    }

private:
    static void made(const std::filesystem::path& path, const state::options& with)
    {
        auto store = state::sqlite_store::open(path, "j", with);
        if (!store)
            throw std::runtime_error(store.error().message);
        (*store)->begin();
        (*store)->commit(1);
    }

    static bool has(const row& columns, const std::string& name)
    {
        for (const auto& [column, value] : columns) {
            if (column == name)
                return true;
        }
        return false;
    }

    void insert(const std::string& table, row columns)
    {
        if (!has(columns, "site"))
            columns.emplace_back("site", "'acme'");
        std::string names;
        std::string values;
        for (const auto& [name, value] : columns) {
            names += (names.empty() ? "\"" : ", \"") + name + "\"";
            values += (values.empty() ? "" : ", ") + value;
        }
        sql("INSERT INTO " + table + " (" + names + ") VALUES (" + values + ")");
    }

    sqlite::database db_;
};

} // namespace chargifyd::test
