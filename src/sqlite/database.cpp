#include "chargifyd/sqlite/database.hpp"

#include "chargifyd/base/log.hpp"

#include <sqlite3.h>

#include <cstdlib>
#include <exception>
#include <mutex>

namespace chargifyd::sqlite {

namespace {

constexpr int busy_timeout_ms = 5000;
constexpr int longest_value_bytes = 64 * 1024 * 1024;
/// Left allocated in the WAL file after a checkpoint, so that it is not grown anew each time.
constexpr std::int64_t kept_wal_bytes = 16 * 1024 * 1024;

/// Of a writer: pages that indexes are searched in come back with nearly every webhook.
constexpr int writer_cache_kib = 12 * 1024;
/// A page that is written to the WAL before its transaction ends may have to be written again, and then all
/// after it are read and summed again. The cache of a batch that is spread over many rows grows to this
/// first. (In KiB: SQLite takes a number of pages for a switch as well, by its lowest eight bits.)
constexpr int writer_cache_spill_kib = 24 * 1024;
/// Of a file that is written from end to end, at once.
constexpr int scratch_cache_kib = 64 * 1024;
constexpr int lookaside_slot_bytes = 1200;
constexpr int lookaside_slots = 400;

[[noreturn]] void fail(sqlite3* db, int code, std::string_view doing)
{
    const int extended = db != nullptr ? sqlite3_extended_errcode(db) : code;
    std::string text(doing);
    text += ": ";
    text += db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    if (const int os = db != nullptr ? sqlite3_system_errno(db) : 0; os != 0 && (code & 0xff) != SQLITE_BUSY)
        text += " (errno " + std::to_string(os) + ")";
    if ((code & 0xff) == SQLITE_MISUSE || (code & 0xff) == SQLITE_RANGE) {
        log::error("SQLite was misused", {{"error", text}});
        std::abort();
    }
    throw failure(extended, text);
}

void check(sqlite3* db, int code, std::string_view doing)
{
    if (code != SQLITE_OK)
        fail(db, code, doing);
}

void forward_log(void*, int code, const char* message)
{
    // Schema changes and WAL recoveries are ordinary; the rest an operator wants to know of.
    if (code == SQLITE_SCHEMA || (code & 0xff) == SQLITE_NOTICE)
        log::debug("SQLite", {{"code", code}, {"error", message}});
    else
        log::warning("SQLite", {{"code", code}, {"error", message}});
}

void configure_library()
{
    static std::once_flag once;
    std::call_once(once, [] {
        sqlite3_config(SQLITE_CONFIG_LOG, forward_log, nullptr);
        // Counting what is allocated takes a lock for each allocation, and nobody asks for the count.
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    });
}

/// Virtual-machine steps between two looks at the clock: some tens of microseconds.
constexpr int steps_between_looks = 2000;

int is_past(void* deadline) noexcept
{
    return std::chrono::steady_clock::now() >= *static_cast<std::chrono::steady_clock::time_point*>(deadline);
}

/// Some milliseconds.
constexpr int steps_between_questions = 100'000;

struct watch {
    const std::function<bool()>& go_on;
    bool ended = false;
    std::exception_ptr thrown;
};

int may_not_go_on(void* asked) noexcept
{
    watch& of = *static_cast<watch*>(asked);
    try {
        of.ended = !of.go_on();
    } catch (...) {
        of.ended = true;
        of.thrown = std::current_exception();
    }
    return of.ended ? 1 : 0;
}

int note_wal_pages(void* noted, sqlite3*, const char*, int pages) noexcept
{
    *static_cast<std::uint64_t*>(noted) = static_cast<std::uint64_t>(pages);
    return SQLITE_OK;
}

int open_flags(access how) noexcept
{
    constexpr int common = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    switch (how) {
    case access::read_only:
        return common | SQLITE_OPEN_READONLY;
    case access::read_write:
    case access::scratch:
    case access::as_is:
        return common | SQLITE_OPEN_READWRITE;
    case access::create:
        return common | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case access::memory:
        return common | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY;
    }
    return common | SQLITE_OPEN_READONLY;
}

} // namespace

failure failure::corruption(const std::string& what)
{
    return {SQLITE_CORRUPT, what};
}

bool failure::busy() const noexcept
{
    return (code_ & 0xff) == SQLITE_BUSY || (code_ & 0xff) == SQLITE_LOCKED;
}

bool failure::corrupt() const noexcept
{
    return (code_ & 0xff) == SQLITE_CORRUPT || (code_ & 0xff) == SQLITE_NOTADB;
}

bool failure::refused() const noexcept
{
    const int primary = code_ & 0xff;
    return primary == SQLITE_CONSTRAINT || primary == SQLITE_TOOBIG || primary == SQLITE_MISMATCH;
}

bool failure::out_of_time() const noexcept
{
    return (code_ & 0xff) == SQLITE_INTERRUPT;
}

void close_database::operator()(sqlite3* db) const noexcept
{
    sqlite3_close_v2(db);
}

void finalize_statement::operator()(sqlite3_stmt* s) const noexcept
{
    sqlite3_finalize(s);
}

database::database(const std::filesystem::path& path, access how)
    : wal_pages_(std::make_unique<std::uint64_t>(0))
{
    configure_library();
    const std::string name = how == access::memory ? ":memory:" : path.string();
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(name.c_str(), &opened, open_flags(how), nullptr);
    handle_.reset(opened);
    check(opened, code, "cannot open " + name);
    sqlite3_busy_timeout(opened, busy_timeout_ms);
    sqlite3_limit(opened, SQLITE_LIMIT_LENGTH, longest_value_bytes);
    sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    exec("PRAGMA cell_size_check = ON");
    exec("PRAGMA mmap_size = 0");
    if (how == access::read_only || how == access::as_is || how == access::memory)
        return;
    // A list in a CHECK becomes a table in memory for each row that is written. Whoever writes has the types
    // that the constraints repeat; "PRAGMA integrity_check" holds the rows against them.
    exec("PRAGMA ignore_check_constraints = ON");
    // Of a connection that writes all day: room for the values of its statements without going to the heap.
    sqlite3_db_config(opened, SQLITE_DBCONFIG_LOOKASIDE, nullptr, lookaside_slot_bytes, lookaside_slots);
    exec("PRAGMA cache_size = -" +
         std::to_string(how == access::scratch ? scratch_cache_kib : writer_cache_kib));
    if (how == access::scratch) {
        exec("PRAGMA locking_mode = EXCLUSIVE");
        if (text("PRAGMA journal_mode = MEMORY") != "memory")
            throw failure(SQLITE_CANTOPEN, "cannot do without write-ahead logging for " + name);
        exec("PRAGMA synchronous = OFF");
        return;
    }
    if (text("PRAGMA journal_mode = WAL") != "wal")
        throw failure(SQLITE_CANTOPEN, "cannot use write-ahead logging for " + name);
    exec("PRAGMA cache_spill = -" + std::to_string(writer_cache_spill_kib));
    exec("PRAGMA synchronous = NORMAL");
    exec("PRAGMA wal_autocheckpoint = 0");
    sqlite3_wal_hook(opened, note_wal_pages, wal_pages_.get());
    exec("PRAGMA journal_size_limit = " + std::to_string(kept_wal_bytes));
    int persist = 1;
    sqlite3_file_control(opened, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
}

void database::exec(const std::string& sql)
{
    check(get(), sqlite3_exec(get(), sql.c_str(), nullptr, nullptr, nullptr), sql.substr(0, 80));
}

bool database::exec_while(const std::string& sql, const std::function<bool()>& go_on)
{
    watch over{go_on, false, {}};
    sqlite3_progress_handler(get(), steps_between_questions, may_not_go_on, &over);
    const int code = sqlite3_exec(get(), sql.c_str(), nullptr, nullptr, nullptr);
    sqlite3_progress_handler(get(), 0, nullptr, nullptr);
    if (over.thrown)
        std::rethrow_exception(over.thrown);
    if (over.ended)
        return false;
    check(get(), code, sql.substr(0, 80));
    return true;
}

std::int64_t database::integer(const std::string& sql)
{
    statement query(*this, sql);
    statement::run rows(query);
    return rows.step() ? rows.integer(0) : 0;
}

std::string database::text(const std::string& sql)
{
    statement query(*this, sql);
    statement::run rows(query);
    return rows.step() ? std::string(rows.text(0)) : std::string();
}

std::int64_t database::changed_rows() const noexcept
{
    return sqlite3_changes64(handle_.get());
}

bool database::checkpoint(bool truncate, std::chrono::milliseconds patience)
{
    int in_wal = 0;
    int copied = 0;
    // A reader may hold its snapshot for hours, and the writer has commits to make.
    sqlite3_busy_timeout(get(), static_cast<int>(patience.count()));
    const int code = sqlite3_wal_checkpoint_v2(
        get(), nullptr, truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, &in_wal, &copied);
    sqlite3_busy_timeout(get(), busy_timeout_ms);
    if ((code & 0xff) == SQLITE_BUSY)
        return false;
    check(get(), code, "cannot checkpoint");
    if (truncate)
        *wal_pages_ = 0;
    return in_wal == copied;
}

void database::copy_from(database& source)
{
    sqlite3_backup* const copy = sqlite3_backup_init(get(), "main", source.get(), "main");
    if (copy == nullptr)
        fail(get(), sqlite3_errcode(get()), "cannot copy the database");
    sqlite3_backup_step(copy, -1);
    check(get(), sqlite3_backup_finish(copy), "cannot copy the database");
}

void database::set_deadline(std::chrono::steady_clock::time_point at)
{
    if (deadline_) {
        *deadline_ = at;
        return;
    }
    deadline_ = std::make_unique<std::chrono::steady_clock::time_point>(at);
    sqlite3_progress_handler(get(), steps_between_looks, is_past, deadline_.get());
}

statement::statement(database& db, std::string_view sql)
{
    sqlite3_stmt* prepared = nullptr;
    const int code = sqlite3_prepare_v3(db.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
    check(db.get(), code, sql.substr(0, 80));
    handle_.reset(prepared);
}

statement::run::~run()
{
    sqlite3_reset(handle_);
    sqlite3_clear_bindings(handle_);
}

statement::run& statement::run::bind(std::string_view text)
{
    // A null pointer would bind NULL, and an empty view may have one.
    const char* const data = text.data() != nullptr ? text.data() : "";
    check(sqlite3_db_handle(handle_),
          sqlite3_bind_text(handle_, next_++, data, static_cast<int>(text.size()), SQLITE_STATIC),
          "cannot bind");
    return *this;
}

statement::run& statement::run::bind(std::int64_t value)
{
    check(sqlite3_db_handle(handle_), sqlite3_bind_int64(handle_, next_++, value), "cannot bind");
    return *this;
}

statement::run& statement::run::bind_null()
{
    check(sqlite3_db_handle(handle_), sqlite3_bind_null(handle_, next_++), "cannot bind");
    return *this;
}

statement::run& statement::run::bind_blob(std::string_view bytes)
{
    check(sqlite3_db_handle(handle_),
          sqlite3_bind_blob(handle_, next_++, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC),
          "cannot bind");
    return *this;
}

bool statement::run::step()
{
    const int code = sqlite3_step(handle_);
    if (code == SQLITE_ROW)
        return true;
    if (code == SQLITE_DONE)
        return false;
    const char* const sql = sqlite3_sql(handle_);
    fail(sqlite3_db_handle(handle_), code, std::string_view(sql != nullptr ? sql : "").substr(0, 80));
}

bool statement::run::is_null(int column) const noexcept
{
    return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

bool statement::run::is_integer(int column) const noexcept
{
    return sqlite3_column_type(handle_, column) == SQLITE_INTEGER;
}

std::int64_t statement::run::integer(int column) const noexcept
{
    return sqlite3_column_int64(handle_, column);
}

std::optional<std::int64_t> statement::run::optional_integer(int column) const noexcept
{
    if (is_null(column))
        return std::nullopt;
    return integer(column);
}

std::string_view statement::run::text(int column) const noexcept
{
    const auto* const data = static_cast<const char*>(sqlite3_column_blob(handle_, column));
    const int size = sqlite3_column_bytes(handle_, column);
    return data == nullptr ? std::string_view() : std::string_view(data, static_cast<std::size_t>(size));
}

std::optional<std::string> statement::run::optional_text(int column) const
{
    if (is_null(column))
        return std::nullopt;
    return std::string(text(column));
}

int statement::run::columns() const noexcept
{
    return sqlite3_column_count(handle_);
}

std::string_view statement::run::name(int column) const noexcept
{
    const char* const n = sqlite3_column_name(handle_, column);
    return n != nullptr ? n : "";
}

write_transaction::write_transaction(database& db)
    : db_(db)
{
    db_.exec("BEGIN IMMEDIATE");
}

write_transaction::~write_transaction()
{
    // After a full disk or an I/O error SQLite may have rolled back by itself.
    if (open_ && sqlite3_get_autocommit(db_.get()) == 0)
        sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void write_transaction::commit()
{
    db_.exec("COMMIT");
    open_ = false;
}

std::string_view version() noexcept
{
    return sqlite3_libversion();
}

} // namespace chargifyd::sqlite
