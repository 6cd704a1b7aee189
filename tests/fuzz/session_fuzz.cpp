#include "fault_file_system.hpp"
#include "fuzz.hpp"
#include "ingress/routes.hpp"
#include "ingress/webhook_service.hpp"
#include "plain_chunks.hpp"

#include "chargifyd/base/log.hpp"
#include "chargifyd/chargify/signature.hpp"
#include "chargifyd/quarantine/quarantine.hpp"

#include <boost/asio/co_spawn.hpp>

#include <array>
#include <fcntl.h>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

/// The input is all that a client sends over one connection; `SIGN` and `SIGB` in a head become the signature
/// of the body that follows, under the site's first or second key. It is given to the daemon's own session
/// and webhook service, over a socket, with a journal in memory behind them: once as a whole, once in pieces.
/// Promises: a request gets one answer or none, and nothing comes after an answer that closes; a webhook gets
/// a 2xx only when its signature verifies, and then it is in the journal; nothing else is in the journal;
/// pieces get the answers of the whole.
namespace chargifyd::ingress {
namespace {

using fuzz::require;
using namespace std::chrono_literals;

constexpr std::size_t most_bytes = 16 * 1024;
constexpr std::size_t sessions_per_world = 2000;
constexpr std::string_view keys[] = {"first-key", "second-key"};

session_limits small_limits()
{
    session_limits limits;
    limits.gate = {12, 2000};
    limits.max_header_bytes = 1024;
    return limits;
}

const session_limits limits = small_limits();

/// A request of the input, as far as it is there.
struct plain_request {
    std::string method;
    std::string path;
    given_signature signature;
    std::string body;
    bool is_whole = false; ///< its body is there
    bool is_refused = false;
};

void take_body(plain_request& of, const request_head& head, std::string_view& bytes)
{
    std::size_t used = head.content_length;
    if (head.chunked) {
        const auto chunks = fuzz::read_chunks(bytes, limits.gate.max_body_bytes);
        of.is_whole = chunks.has_value();
        of.body = chunks ? chunks->body : std::string();
        used = chunks ? chunks->bytes : 0;
    } else {
        of.body = bytes.substr(0, used);
        of.is_whole = of.body.size() == used;
    }
    bytes.remove_prefix(std::min(used, bytes.size()));
}

/// The requests up to the first that no request can follow.
std::vector<plain_request> requests_in(std::string_view bytes)
{
    std::vector<plain_request> all;
    while (!bytes.empty()) {
        plain_request one;
        head_scanner scanner;
        request_head head;
        const bool complete = scanner.scan(bytes) == head_scanner::outcome::complete &&
                              scanner.length() <= limits.max_header_bytes;
        one.is_refused =
            !complete || read_head(bytes.substr(0, scanner.length()), limits.gate, head).has_value();
        if (complete && bytes.starts_with("HEAD "))
            one.method = "HEAD";
        if (!one.is_refused) {
            one.method = head.method;
            one.path = head.path;
            one.signature = find_signature(head);
            bytes.remove_prefix(scanner.length());
            take_body(one, head, bytes);
        }
        all.push_back(one);
        if (one.is_refused || !one.is_whole)
            break;
    }
    return all;
}

/// What the client sees.
struct plain_answer {
    unsigned status = 0;
    bool closes = false;
    std::string body;

    bool operator==(const plain_answer&) const = default;
};

std::string field_of(std::string_view head, std::string_view name)
{
    const std::string wanted = "\r\n" + std::string(name) + ": ";
    const auto at = head.find(wanted);
    if (at == std::string_view::npos)
        return {};
    head.remove_prefix(at + wanted.size());
    return std::string(head.substr(0, head.find("\r\n")));
}

plain_answer take_answer(std::string_view& bytes, bool to_head)
{
    const auto end = bytes.find("\r\n\r\n");
    require(end != std::string_view::npos && bytes.starts_with("HTTP/1.1 "), "an answer is whole");
    const std::string_view head = bytes.substr(0, end + 2);
    plain_answer one;
    one.status = static_cast<unsigned>(std::strtoul(std::string(head.substr(9, 3)).c_str(), nullptr, 10));
    one.closes = field_of(head, "Connection") == "close";
    const std::size_t length = std::strtoul(field_of(head, "Content-Length").c_str(), nullptr, 10);
    bytes.remove_prefix(end + 4);
    if (to_head || one.status == 100)
        return one;
    require(bytes.size() >= length, "an answer has its body");
    one.body = bytes.substr(0, length);
    bytes.remove_prefix(length);
    return one;
}

/// The final answers; an invitation to send a body stands at most once before each.
std::vector<plain_answer> answers_in(std::string_view bytes, const std::vector<plain_request>& requests)
{
    std::vector<plain_answer> all;
    bool invited = false;
    while (!bytes.empty()) {
        require(all.size() < requests.size(), "there are no more answers than requests");
        require(all.empty() || !all.back().closes, "nothing follows an answer that closes");
        plain_answer one = take_answer(bytes, requests[all.size()].method == "HEAD");
        if (one.status == 100) {
            require(!invited, "a body is invited once");
            invited = true;
            continue;
        }
        invited = false;
        all.push_back(std::move(one));
    }
    return all;
}

bool verifies(const plain_request& r)
{
    if (!r.signature.value)
        return false;
    for (const std::string_view key : keys)
        if (chargify::hmac_sha256(key, r.body) == *r.signature.value)
            return true;
    return false;
}

/// A daemon without its listeners and threads, apart from the journal's.
class daemon {
public:
    daemon()
        : journal_(journal::log::open(journal_options(), disk_, system_now, instruments_).value())
        , apart_(quarantine::store::open({"/state/quarantine"}, disk_, instruments_).value())
        , service_({}, proxy_list::parse({"127.0.0.0/8"}).value(), *journal_, *apart_, instruments_,
                   system_now)
    {
        const std::vector<net::io_context*> contexts{&thread_.context};
        desk_ = std::make_shared<completion_desk>(contexts);
        apart_desk_ = std::make_shared<completion_desk>(contexts);
        service_.use(*desk_, *apart_desk_);
        journal_->on_batch([shared = desk_] { shared->batch_over(); });
        apart_->on_batch([shared = apart_desk_] { shared->batch_over(); });
        std::vector<secret> secrets;
        for (const std::string_view key : keys)
            secrets.emplace_back(std::string(key));
        std::vector<site> sites;
        sites.push_back({"acme", chargify::verifier(std::move(secrets))});
        service_.adopt({nullptr, site_table::make(std::move(sites), instruments_).value()});
    }
    ~daemon()
    {
        desk_->close();
        apart_desk_->close();
    }
    daemon(const daemon&) = delete;
    daemon& operator=(const daemon&) = delete;

    /// Gives `pieces` to a session, one after the other, and returns all that it says.
    std::string converse(const std::vector<std::string_view>& pieces)
    {
        ++sessions_;
        std::array<int, 2> ends{};
        require(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0, "there are sockets");
        const int client = ends[1];
        ::fcntl(client, F_SETFL, O_NONBLOCK);
        std::string said;
        {
            stream_socket socket(thread_.context, net::generic::stream_protocol(AF_UNIX, 0), ends[0]);
            const auto connected = std::make_shared<connection>(std::move(socket), tls_session());
            const auto handler = service_.make_handler(thread_, {net::ip::make_address("127.0.0.1")});
            bool done = false;
            auto when_done = [&done](const std::exception_ptr& failure) {
                require(failure == nullptr, "a session throws nothing");
                done = true;
            };
            net::co_spawn(thread_.context.get_executor(), serve(*connected, limits, *handler, thread_.home),
                          when_done);
            for (std::string_view piece : pieces) {
                thread_.context.poll();
                while (!piece.empty() && !done) {
                    const ssize_t n = ::send(client, piece.data(), piece.size(), MSG_NOSIGNAL);
                    piece.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
                    thread_.context.poll();
                    hear(client, said);
                }
            }
            ::shutdown(client, SHUT_WR);
            const auto patience = std::chrono::steady_clock::now() + 30s;
            while (!done) {
                thread_.context.run_one_for(100ms);
                hear(client, said);
                require(std::chrono::steady_clock::now() < patience, "a session ends when its client does");
            }
        }
        thread_.context.poll(); // what was cancelled
        hear(client, said);
        ::close(client);
        return said;
    }

    /// What the journal took in since the last call.
    std::vector<journal::record> news()
    {
        std::vector<journal::record> all;
        auto from = journal::reader::open(journal_directory, disk_, seen_);
        require(from.has_value(), "the journal can be read");
        journal::record r;
        while (seen_ < journal_->durable_sequence()) {
            const auto got = from->next(r, journal_->durable_sequence());
            require(got && *got, "what is durable can be read");
            seen_ = r.sequence;
            all.push_back(r);
        }
        return all;
    }

    bool is_worn() const { return sessions_ >= sessions_per_world; }
    /// Bodies that are in the journal.
    std::set<std::string> stored;

private:
    static constexpr const char* journal_directory = "/state/journal";

    static journal::options journal_options()
    {
        journal::options with;
        with.directory = journal_directory;
        with.segment_bytes = 64 * 1024;
        with.remembered_webhooks = 64;
        with.disk_floor_bytes = 0;
        return with;
    }

    static void hear(int client, std::string& said)
    {
        std::array<char, 4096> block;
        for (;;) {
            const ssize_t n = ::recv(client, block.data(), block.size(), 0);
            if (n <= 0)
                return;
            said.append(block.data(), static_cast<std::size_t>(n));
        }
    }

    test::fault_file_system disk_;
    metrics::registry instruments_;
    io_thread thread_{0};
    std::unique_ptr<journal::log> journal_;
    std::unique_ptr<quarantine::store> apart_;
    webhook_service service_;
    std::shared_ptr<completion_desk> desk_;
    std::shared_ptr<completion_desk> apart_desk_;
    std::size_t sessions_ = 0;
    std::uint64_t seen_ = 0;
};

std::string lower(std::string_view text)
{
    std::string out(text);
    for (char& c : out)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

/// The body that belongs to the head around `at`.
std::string body_around(std::string_view bytes, std::size_t at)
{
    const auto end = bytes.find("\r\n\r\n", at);
    if (end == std::string_view::npos)
        return {};
    const std::string_view behind = bytes.substr(end + 4);
    const std::string head = lower(bytes.substr(0, end));
    const auto length = head.rfind("content-length:");
    if (length != std::string::npos)
        return std::string(behind.substr(0, std::strtoul(head.c_str() + length + 15, nullptr, 10)));
    const auto chunks = fuzz::read_chunks(behind, limits.gate.max_body_bytes);
    return chunks ? chunks->body : std::string();
}

std::string with_signatures(std::string bytes)
{
    const auto sign = [&bytes](std::string_view marker, std::string_view key) {
        for (auto at = bytes.find(marker); at != std::string::npos; at = bytes.find(marker, at)) {
            bytes.replace(at, marker.size(), to_hex(chargify::hmac_sha256(key, body_around(bytes, at))));
            if (bytes.size() > 2 * most_bytes)
                return;
        }
    };
    sign("SIGN", keys[0]);
    sign("SIGB", keys[1]);
    return bytes;
}

std::vector<std::string_view> in_pieces(std::string_view bytes)
{
    std::minstd_rand random(static_cast<unsigned>(std::hash<std::string_view>()(bytes)));
    std::vector<std::string_view> pieces;
    while (!bytes.empty()) {
        const std::size_t size = random() % 3 == 0 ? 1 : 1 + random() % bytes.size();
        pieces.push_back(bytes.substr(0, size));
        bytes.remove_prefix(size);
    }
    return pieces;
}

std::vector<plain_answer> ask(daemon& to, const std::vector<std::string_view>& pieces,
                              const std::vector<plain_request>& requests)
{
    const std::vector<plain_answer> answers = answers_in(to.converse(pieces), requests);
    std::set<std::string> accepted;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const plain_request& r = requests[i];
        const bool good = answers[i].status >= 200 && answers[i].status < 300;
        if (!good)
            continue;
        require(!r.is_refused && r.is_whole, "only a whole request is accepted");
        if (r.path == "/healthz")
            continue;
        require(r.method == "POST" && (r.path == "/webhooks" || r.path == "/webhooks/acme"),
                "webhooks are posted to their site");
        require(verifies(r), "no webhook is accepted unless its signature verifies");
        accepted.insert(r.body);
    }
    for (const journal::record& stored : to.news()) {
        require(accepted.contains(stored.body), "only what is accepted is stored");
        require(stored.site == "acme", "a webhook is stored with its site");
        to.stored.insert(stored.body);
    }
    for (const std::string& body : accepted)
        require(to.stored.contains(body), "what is accepted is stored");
    return answers;
}

void fuzz_one(std::string_view input)
{
    static const bool quiet = (log::set_level(log::level::error), true);
    require(quiet, "the log is quiet");
    static std::unique_ptr<daemon> now;
    if (!now || now->is_worn()) {
        now.reset();
        now = std::make_unique<daemon>();
    }
    const std::string bytes = with_signatures(std::string(input.substr(0, most_bytes)));
    const std::vector<plain_request> requests = requests_in(bytes);
    const auto whole = ask(*now, {bytes}, requests);
    require(ask(*now, in_pieces(bytes), requests) == whole, "pieces get the answers of the whole");
}

} // namespace
} // namespace chargifyd::ingress

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    chargifyd::ingress::fuzz_one(chargifyd::fuzz::text_of(data, size));
    return 0;
}
