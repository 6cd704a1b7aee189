#include "fuzz.hpp"

#include "chargifyd/chargify/form.hpp"
#include "chargifyd/state/projection.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>
#include <variant>
#include <vector>

/// The input is signed bodies, one a line; `acme` in them is the site they were posted to. Promises: every
/// body is read without a failure of the program's own, and what comes of it can be stored; each webhook
/// leaves one row of `events` or is counted as a delivery of one; to apply it again changes nothing; in what
/// order webhooks come makes no difference.
namespace chargifyd::state {
namespace {

using fuzz::require;

constexpr std::size_t most_webhooks = 6;
constexpr std::uint64_t inputs_per_file = 1000;
constexpr timestamp received_at{std::chrono::seconds(1'800'000'000)};

void require_text(std::string_view text)
{
    require(chargify::clean_utf8(text) == text, "stored text is UTF-8 without NUL");
}

void require_values(const std::vector<value>& values)
{
    for (const value& v : values)
        if (const auto* const text = std::get_if<std::string>(&v))
            require_text(*text);
}

/// A state file in memory, its one writer and a reader.
class arena {
public:
    explicit arena(const std::filesystem::path& folder)
        : file_(folder / "state.db")
        , store_(sqlite_store::open(file_, "j", {}).value())
        , reader_(file_, sqlite::access::read_only)
        , deliveries_(reader_,
                      "SELECT count(*), sum(deliveries), sum(outcome = 'dead') FROM events WHERE site = ?")
        , facts_(reader_, "SELECT subscription_id, customer_id, kind, object_id, old_value, new_value, "
                          "amount_in_cents, detail, occurred_at FROM changes WHERE site = ? "
                          "ORDER BY 1, 3, 9, 4, 5, 6, 2, 7, 8")
    {
        for (std::size_t kind = 0; kind < object_kinds; ++kind) {
            std::string columns;
            for (const auto& list : {table_of(kind).keys, table_of(kind).columns})
                for (const column& c : list)
                    columns += "\"" + std::string(c.name) + "\", ";
            objects_.emplace_back(reader_, "SELECT " + columns + "attributes FROM " +
                                               std::string(table_of(kind).name) +
                                               " WHERE site = ? ORDER BY 1, 2, 3");
        }
    }

    /// All in one transaction, as the pipeline does it.
    void apply_all(std::vector<webhook> webhooks)
    {
        store_->begin();
        for (webhook& w : webhooks) {
            w.sequence = ++sequence_;
            state::apply(*store_, w);
        }
        store_->commit(sequence_);
        require(store_->cursor() == sequence_, "the cursor is the last webhook applied");
    }

    struct counts {
        std::int64_t rows = 0;
        std::int64_t deliveries = 0;
        std::int64_t dead = 0;
    };
    counts count(const std::string& site)
    {
        sqlite::statement::run row(deliveries_);
        row.bind(std::string_view(site)).step();
        return {row.integer(0), row.integer(1), row.integer(2)};
    }

    /// The objects and the facts of a site.
    std::string content(const std::string& site)
    {
        std::string all;
        for (sqlite::statement& query : objects_)
            all += rows(query, site) + "--\n";
        return all + rows(facts_, site);
    }

private:
    static std::string rows(sqlite::statement& query, const std::string& site)
    {
        std::string all;
        sqlite::statement::run row(query);
        row.bind(std::string_view(site));
        while (row.step()) {
            for (int i = 0; i < row.columns(); ++i)
                all += (row.is_null(i) ? std::string("NULL") : std::string(row.text(i))) + "|";
            all += '\n';
        }
        return all;
    }

    std::filesystem::path file_;
    std::unique_ptr<sqlite_store> store_;
    sqlite::database reader_;
    sqlite::statement deliveries_;
    sqlite::statement facts_;
    std::vector<sqlite::statement> objects_;
    std::uint64_t sequence_ = 0;
};

/// Two states of the same webhooks in different orders. Every input has a site of its own in them, for making
/// a file costs more than applying an input.
class world {
public:
    world()
    {
        std::error_code none;
        const char* const base = std::filesystem::is_directory("/dev/shm", none) ? "/dev/shm" : "/tmp";
        std::string name = std::string(base) + "/chargifyd-fuzz-XXXXXX";
        require(::mkdtemp(name.data()) != nullptr, "there is room for a temporary folder");
        folder_ = name;
        for (const char* const side : {"one", "two"})
            std::filesystem::create_directory(folder_ / side);
        one.emplace(folder_ / "one");
        two.emplace(folder_ / "two");
    }
    ~world()
    {
        one.reset();
        two.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    world(const world&) = delete;
    world& operator=(const world&) = delete;

    std::string next_site() { return "f" + std::to_string(1'000'000 + ++inputs_); }
    bool is_worn() const { return inputs_ >= inputs_per_file; }

    std::optional<arena> one;
    std::optional<arena> two;

private:
    std::filesystem::path folder_;
    std::uint64_t inputs_ = 0;
};

std::vector<std::string> bodies_of(std::string_view input, const std::string& site)
{
    std::vector<std::string> bodies(1);
    for (const char c : input) {
        if (c != '\n') {
            bodies.back() += c;
            continue;
        }
        if (bodies.size() == most_webhooks)
            break;
        bodies.emplace_back();
    }
    for (std::string& body : bodies)
        for (auto at = body.find("acme"); at != std::string::npos; at = body.find("acme", at + site.size()))
            body.replace(at, 4, site);
    return bodies;
}

void check(const webhook& w)
{
    require(!w.error.starts_with("internal"), "no body makes the program fail");
    require(w.webhook_id.has_value() != w.body_sha256.has_value(), "a webhook has one identity");
    require(!w.webhook_id || *w.webhook_id > 0, "ids are positive");
    require_text(w.event);
    require_text(w.error);
    for (const observation& o : w.observations) {
        require(o.columns.size() == table_of(o.kind).columns.size(), "an observation has every column");
        require_values(o.key);
        require_values(o.columns);
        require_text(o.attributes);
        require(!o.full || nlohmann::json::accept(o.attributes), "attributes are JSON");
        for (const auto& [key, text] : o.extras) {
            require_text(key);
            require(nlohmann::json::accept(text), "patches are JSON");
        }
    }
}

/// Whether Chargify could have sent them: no id twice, and event ids grow with webhook ids. Only then is an
/// order told to begin with.
bool is_history(std::vector<webhook> webhooks)
{
    std::sort(webhooks.begin(), webhooks.end(), [](const webhook& a, const webhook& b) {
        return a.webhook_id.value_or(0) < b.webhook_id.value_or(0);
    });
    for (std::size_t i = 0; i < webhooks.size(); ++i) {
        const webhook& w = webhooks[i];
        if (!w.webhook_id)
            return false;
        if (i > 0 && (*w.webhook_id == *webhooks[i - 1].webhook_id ||
                      w.event_id.value_or(0) < webhooks[i - 1].event_id.value_or(0)))
            return false;
    }
    return true;
}

void fuzz_one(std::string_view input)
{
    static std::unique_ptr<world> now;
    if (!now || now->is_worn()) {
        now.reset();
        now = std::make_unique<world>();
    }
    const std::string site = now->next_site();
    std::vector<webhook> webhooks;
    for (const std::string& body : bodies_of(input, site)) {
        webhooks.push_back(prepare(1, site, received_at, body));
        check(webhooks.back());
    }
    const auto total = static_cast<std::int64_t>(webhooks.size());

    now->one->apply_all(webhooks);
    const std::string content = now->one->content(site);
    const auto first = now->one->count(site);
    require(first.deliveries == total, "every webhook leaves a row or is counted");

    now->one->apply_all(webhooks);
    require(now->one->content(site) == content, "to apply again changes nothing");
    const auto second = now->one->count(site);
    require(second.deliveries == 2 * total, "every webhook leaves a row or is counted, again");
    require(second.rows - second.dead == first.rows - first.dead, "only dead letters have two rows");

    if (webhooks.size() < 2 || !is_history(webhooks))
        return;
    std::reverse(webhooks.begin(), webhooks.end());
    now->two->apply_all(std::move(webhooks));
    require(now->two->content(site) == content, "the order makes no difference");
}

} // namespace
} // namespace chargifyd::state

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    chargifyd::state::fuzz_one(chargifyd::fuzz::text_of(data, size));
    return 0;
}
