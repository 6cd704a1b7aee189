#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

/// SQLite behind three types: a connection, a prepared statement, one execution of it.
///
/// A connection and its statements belong to one thread at a time. Every failure is thrown: in this room an
/// error means that the operation cannot go on. Misuse of SQLite's interface is a bug and ends the process.
namespace chargifyd::sqlite {

/// What SQLite answered. The text has no bound values in it.
class failure : public std::runtime_error {
public:
    failure(int extended_code, const std::string& what)
        : std::runtime_error(what)
        , code_(extended_code)
    {}

    /// The content contradicts what was read of it before.
    static failure corruption(const std::string& what);

    int extended_code() const noexcept { return code_; }
    /// Someone else holds the lock; try again.
    bool busy() const noexcept;
    /// The file is not a database, or its content contradicts itself.
    bool corrupt() const noexcept;
    /// The statement or its values were refused; the connection is as good as before.
    bool refused() const noexcept;
    /// The statement ran beyond the connection's deadline and was ended.
    bool out_of_time() const noexcept;

private:
    int code_;
};

struct close_database {
    void operator()(sqlite3* db) const noexcept;
};
struct finalize_statement {
    void operator()(sqlite3_stmt* s) const noexcept;
};

enum class access {
    read_only,  ///< the file must exist; sees every commit of the writer
    read_write, ///< the one writer of a file that exists
    create,     ///< as read_write; an empty file is made when there is none
    as_is,      ///< as read_write, but the file's settings stay; takes back what a crash left unfinished
    scratch,    ///< as read_write, of a file that nobody else opens and that a crash may destroy: nothing is
                ///< synced
    memory,     ///< a private database without a file
};

/// One connection.
///
/// A writing connection uses WAL with synchronous=NORMAL (a power cut may take back the last commits, never
/// corrupt the file), never checkpoints by itself, and leaves -wal and -shm behind when it closes, so that
/// readers without write permission can open the file while nobody writes.
class database {
public:
    database(const std::filesystem::path& path, access how);

    void exec(const std::string& sql);
    /// The same as long as `go_on`, which is asked every some milliseconds that it works, says so. False: it
    /// was ended. Throws what `go_on` throws. Not together with a deadline.
    bool exec_while(const std::string& sql, const std::function<bool()>& go_on);
    /// The first column of the first row as an integer, 0 when there is none.
    std::int64_t integer(const std::string& sql);
    /// The first column of the first row as text, empty when there is none.
    std::string text(const std::string& sql);
    /// How many rows the last INSERT, UPDATE or DELETE that came to its end has written.
    std::int64_t changed_rows() const noexcept;

    /// Copies committed pages into the database file; true when the whole WAL was copied (no reader held it
    /// back). With `truncate` the WAL file is emptied too, if nobody reads: that, and only that, waits so
    /// long for readers to end, and all that write wait with it. Only on the writing connection.
    bool checkpoint(bool truncate, std::chrono::milliseconds patience = {});
    /// How many pages the WAL held after this connection's last statement that wrote. Once all are copied and
    /// nobody reads them, the next commit writes over them: the file stays as long as it was.
    std::uint64_t wal_pages() const noexcept { return *wal_pages_; }
    /// Replaces this database's content by `source`'s in one transaction: readers see the old until it
    /// commits.
    void copy_from(database& source);

    /// Statements that run beyond this moment are ended soon after it (`failure::out_of_time`).
    void set_deadline(std::chrono::steady_clock::time_point at);

    sqlite3* get() const noexcept { return handle_.get(); }

private:
    std::unique_ptr<std::chrono::steady_clock::time_point>
        deadline_;                             ///< where the handle's callback finds it
    std::unique_ptr<std::uint64_t> wal_pages_; ///< likewise
    std::unique_ptr<sqlite3, close_database> handle_;
};

/// A prepared statement. Must be destroyed before its database.
class statement {
public:
    statement(database& db, std::string_view sql);

    /// One execution. Its end resets the statement, so that no early return can pin a snapshot.
    class run {
    public:
        explicit run(statement& s) noexcept
            : handle_(s.handle_.get())
        {}
        ~run();
        run(const run&) = delete;
        run& operator=(const run&) = delete;

        /// Binds the next parameter. Text is not copied: it must outlive this run.
        run& bind(std::string_view text);
        run& bind(std::string&& text) = delete;
        run& bind(std::int64_t value);
        run& bind_null();
        /// A blob; not copied.
        run& bind_blob(std::string_view bytes);
        template <class T>
        run& bind(const std::optional<T>& value)
        {
            return value ? bind(*value) : bind_null();
        }

        /// True: a row is there to be read. False: done.
        bool step();

        bool is_null(int column) const noexcept;
        std::int64_t integer(int column) const noexcept;
        std::optional<std::int64_t> optional_integer(int column) const noexcept;
        /// Valid until the next step or the end of this run.
        std::string_view text(int column) const noexcept;
        std::optional<std::string> optional_text(int column) const;
        int columns() const noexcept;
        std::string_view name(int column) const noexcept;
        /// Whether the value is stored as an integer (else it is text, a blob, a float or NULL).
        bool is_integer(int column) const noexcept;

    private:
        sqlite3_stmt* handle_;
        int next_ = 1;
    };

private:
    std::unique_ptr<sqlite3_stmt, finalize_statement> handle_;
};

/// BEGIN IMMEDIATE; rolled back unless committed, and only if SQLite has not already done so.
class write_transaction {
public:
    explicit write_transaction(database& db);
    ~write_transaction();
    write_transaction(const write_transaction&) = delete;
    write_transaction& operator=(const write_transaction&) = delete;
    void commit();

private:
    database& db_;
    bool open_ = true;
};

/// SQLite's version as text, for status and logs.
std::string_view version() noexcept;

} // namespace chargifyd::sqlite
