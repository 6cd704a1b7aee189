#include "open_state.hpp"

#include "migrate.hpp"
#include "schema.hpp"

#include "chargifyd/base/log.hpp"
#include "chargifyd/chargify/states.hpp"
#include "chargifyd/state/projection.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace chargifyd::state {

namespace {

namespace fs = std::filesystem;

/// A whole check of a larger file would keep the daemon from answering for too long; `chargifyctl check` does
/// it.
constexpr std::uint64_t largest_checked_bytes = 256 * 1024 * 1024;

bool is_empty(sqlite::database& db)
{
    return db.integer("SELECT count(*) FROM sqlite_schema") == 0;
}

void make_schema(sqlite::database& db, const std::string& journal_id)
{
    sqlite::write_transaction change(db);
    db.exec(schema_sql());
    db.exec("PRAGMA application_id = " + std::to_string(application_id));
    db.exec("PRAGMA user_version = " + std::to_string(schema_version));
    sqlite::statement insert(db, "INSERT INTO meta (key, value) VALUES (?, ?)");
    sqlite::statement::run(insert)
        .bind(std::string_view("journal_id"))
        .bind(std::string_view(journal_id))
        .step();
    sqlite::statement::run(insert).bind(std::string_view("cursor")).bind(std::string_view("0")).step();
    write_projection(db, projection_version);
    change.commit();
}

/// Rules of other versions made what is there, and this one's come to it: from now on it is nobody's alone.
void forget_other_projection(sqlite::database& db)
{
    if (read_projection(db) == projection_version)
        return;
    sqlite::write_transaction change(db);
    write_projection(db, 0);
    change.commit();
}

result<void> migrate_older(sqlite::database& db, const fs::path& file)
{
    const std::int64_t found = db.integer("PRAGMA user_version");
    if (found == schema_version)
        return {};
    log::info("a state file of an older version is brought to this version's schema",
              {{"file", file.string()}, {"from", found}, {"to", schema_version}});
    try {
        migrate(db);
        return {};
    } catch (const sqlite::failure& e) {
        if (e.corrupt() || e.busy())
            return explain_failure(file, e);
        return make_error(errc::io, file.string() + " cannot be brought to schema " +
                                        std::to_string(schema_version) + " and was left as it is (" +
                                        e.what() +
                                        "); start again when the cause is gone, or move the file away to "
                                        "have it rebuilt from the journal");
    }
}

std::optional<error> check_content(sqlite::database& db, const fs::path& file)
{
    std::error_code ignored;
    if (fs::file_size(file, ignored) > largest_checked_bytes)
        return std::nullopt;
    const std::string verdict = db.text("PRAGMA quick_check(1)");
    if (verdict == "ok")
        return std::nullopt;
    return make_error(errc::corrupt,
                      file.string() + " is damaged (" + verdict +
                          "); stop the daemon, move the file away (with its -wal and -shm) and start "
                          "again: the state is rebuilt from the journal");
}

/// Makes an empty file readable by the group, whatever the caller's umask allows to others.
void make_file(const fs::path& file)
{
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd >= 0)
        ::close(fd);
}

} // namespace

void write_access_states(sqlite::database& db, const options& with)
{
    sqlite::write_transaction change(db);
    db.exec("DELETE FROM access_states");
    sqlite::statement insert(
        db, "INSERT INTO access_states (state, has_access, grace_days) VALUES (?, ?, ?) ON CONFLICT (state) "
            "DO UPDATE SET has_access = excluded.has_access, grace_days = excluded.grace_days");
    for (const chargify::state_info& known : chargify::state_catalogue())
        sqlite::statement::run(insert)
            .bind(known.name)
            .bind(std::int64_t{known.grants_access})
            .bind_null()
            .step();
    for (const auto& [state, rule] : with.access)
        sqlite::statement::run(insert)
            .bind(std::string_view(state))
            .bind(std::int64_t{rule.has_access})
            .bind(rule.grace_days ? std::optional<std::int64_t>(*rule.grace_days) : std::nullopt)
            .step();
    change.commit();
}

error explain_failure(const fs::path& file, const sqlite::failure& e)
{
    if (e.corrupt())
        return make_error(errc::corrupt,
                          file.string() + " is damaged or not a database (" + e.what() +
                              "); move it away (with its -wal and -shm) and start again: the state is "
                              "rebuilt from the journal");
    if (e.busy())
        return make_error(errc::busy, file.string() + " is locked by another program that writes to it (" +
                                          e.what() + "); open it read-only there");
    return make_error(errc::io, file.string() + ": " + e.what());
}

std::optional<error> judge_state(sqlite::database& db, const fs::path& file, const std::string& journal_id)
{
    if (db.integer("PRAGMA application_id") != application_id)
        return make_error(errc::invalid, file.string() + " is a database of another program; move it away");
    const auto found = db.integer("PRAGMA user_version");
    if (found > schema_version)
        return make_error(errc::invalid, file.string() + " was written by a newer chargifyd (schema " +
                                             std::to_string(found) + ", this one knows " +
                                             std::to_string(schema_version) +
                                             "); install that version again");
    if (found < 1)
        return make_error(errc::corrupt,
                          file.string() + " has no schema version; move it away to have it rebuilt");
    const std::string made_from = db.text("SELECT value FROM meta WHERE key = 'journal_id'");
    if (made_from != journal_id)
        return make_error(errc::invalid, file.string() + " was made from another journal (" + made_from +
                                             ", not " + journal_id +
                                             "); restore that journal, or move the file away to have the "
                                             "state rebuilt from this one");
    return std::nullopt;
}

std::optional<error> judge_current_state(sqlite::database& db, const fs::path& file,
                                         const std::string& journal_id)
{
    if (auto mistake = judge_state(db, file, journal_id))
        return mistake;
    const auto found = db.integer("PRAGMA user_version");
    if (found == schema_version)
        return std::nullopt;
    return make_error(errc::invalid,
                      file.string() + " was written by an older chargifyd (schema " + std::to_string(found) +
                          ", this one reads " + std::to_string(schema_version) +
                          "); start this version's daemon once: it brings the file up to date");
}

int read_projection(sqlite::database& db)
{
    return static_cast<int>(db.integer("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'projection'"));
}

void write_projection(sqlite::database& db, int made_by)
{
    db.exec("INSERT INTO meta (key, value) VALUES ('projection', '" + std::to_string(made_by) +
            "') ON CONFLICT (key) DO UPDATE SET value = excluded.value");
}

namespace {

/// Looks at an existing file without changing it: even switching on write-ahead logging would alter another
/// program's database. True: it is a state file. False: it is empty, and may become one.
result<bool> look_at(const fs::path& file, const std::string& journal_id, bool check)
{
    // A crash while the file was made leaves a rollback journal, which only a writer can take back.
    std::error_code ignored;
    const bool unfinished = fs::exists(file.string() + "-journal", ignored);
    sqlite::database db(file, unfinished ? sqlite::access::as_is : sqlite::access::read_only);
    if (is_empty(db)) {
        if (db.integer("PRAGMA application_id") != 0 || db.integer("PRAGMA user_version") != 0)
            return make_error(errc::corrupt,
                              file.string() + " has lost its tables; move it away to have it rebuilt");
        return false;
    }
    if (auto mistake = judge_state(db, file, journal_id))
        return *mistake;
    if (auto damage = check ? check_content(db, file) : std::nullopt)
        return *damage;
    return true;
}

result<void> sync_path(const fs::path& name)
{
    const int fd = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = fd >= 0 && ::fsync(fd) == 0;
    const int why = errno;
    if (fd >= 0)
        ::close(fd);
    if (!synced)
        return system_error(why, "cannot sync " + name.string());
    return {};
}

} // namespace

result<sqlite::database> open_state(const fs::path& file, const std::string& journal_id, const options& with)
{
    std::error_code ignored;
    if (!fs::exists(file, ignored))
        make_file(file);
    const auto is_state = look_at(file, journal_id, with.check_content);
    if (!is_state)
        return is_state.error();
    {
        sqlite::database db(file, sqlite::access::read_write);
        if (!*is_state) {
            make_schema(db, journal_id);
            if (with.scratch)
                drop_query_indexes(db);
        } else if (auto migrated = migrate_older(db, file); !migrated) {
            return migrated.error();
        }
        forget_other_projection(db);
        write_access_states(db, with);
        if (!with.scratch)
            return db;
    }
    sqlite::database db(file, sqlite::access::scratch);
    write_projection(db, 0); // nobody's, until whoever fills it says that it is complete
    return db;
}

result<void> copy_state(const fs::path& from, const fs::path& to)
{
    const fs::path unfinished = to.string() + ".tmp";
    std::error_code ignored;
    try {
        fs::remove(unfinished, ignored);
        make_file(unfinished);
        sqlite::database source(from, sqlite::access::read_only);
        sqlite::statement copy(source, "VACUUM INTO ?");
        const std::string name = unfinished.string();
        sqlite::statement::run(copy).bind(std::string_view(name)).step();
    } catch (const sqlite::failure& e) {
        fs::remove(unfinished, ignored);
        return explain_failure(to, e);
    }
    if (auto synced = sync_path(unfinished); !synced)
        return synced;
    if (::rename(unfinished.c_str(), to.c_str()) != 0)
        return system_error(errno, "cannot rename " + unfinished.string());
    return sync_path(to.parent_path());
}

} // namespace chargifyd::state
