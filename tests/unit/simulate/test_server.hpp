#pragma once

#include "chargifyd/base/guarded.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace chargifyd::simulate {

/// A self-signed certificate and its key in one PEM file, which goes with the object.
class test_certificate {
public:
    /// `names` as in a subjectAltName: `DNS:localhost,IP:127.0.0.1`.
    explicit test_certificate(const std::string& names)
    {
        static std::atomic<int> count{0};
        path_ = std::filesystem::path(testing::TempDir()) /
                ("certificate-" + std::to_string(::getpid()) + "-" + std::to_string(count++) + ".pem");
        EVP_PKEY* key = EVP_EC_gen("P-256");
        X509* made = X509_new();
        X509_set_version(made, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
        X509_gmtime_adj(X509_getm_notBefore(made), -60);
        X509_gmtime_adj(X509_getm_notAfter(made), 3600);
        X509_set_pubkey(made, key);
        const unsigned char* name = reinterpret_cast<const unsigned char*>("chargifyd test");
        X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC, name, -1, -1, 0);
        X509_set_issuer_name(made, X509_get_subject_name(made));
        X509_EXTENSION* alternatives =
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
        X509_add_ext(made, alternatives, -1);
        X509_EXTENSION_free(alternatives);
        X509_sign(made, key, EVP_sha256());
        std::FILE* file = std::fopen(path_.c_str(), "w");
        PEM_write_X509(file, made);
        PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(file);
        X509_free(made);
        EVP_PKEY_free(key);
    }
    ~test_certificate() { std::filesystem::remove(path_); }
    test_certificate(const test_certificate&) = delete;
    test_certificate& operator=(const test_certificate&) = delete;

    const std::filesystem::path& file() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

/// A small blocking HTTP server on loopback: a thread for each connection, plain or TLS.
class test_server {
public:
    struct request {
        std::string head; ///< up to and with the empty line
        std::string body;
        std::size_t connection = 0; ///< counted from 0
        std::size_t number = 0;     ///< on its connection, counted from 0
    };
    /// What to do with a request.
    struct action {
        std::string send = ok();
        enum { keep, close, hang } then = keep; ///< hang: wait until the client goes
    };
    using handler = std::function<action(const request&)>;

    static std::string ok() { return "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"; }
    static std::string status(int code)
    {
        return "HTTP/1.1 " + std::to_string(code) + " X\r\nContent-Length: 0\r\n\r\n";
    }

    /// Plain without a certificate.
    explicit test_server(handler answer, const test_certificate* certificate = nullptr)
        : answer_(std::move(answer))
        , acceptor_(context_, {boost::asio::ip::address_v4::loopback(), 0})
    {
        if (certificate != nullptr) {
            tls_ = std::make_unique<boost::asio::ssl::context>(boost::asio::ssl::context::tls_server);
            tls_->use_certificate_chain_file(certificate->file().string());
            tls_->use_private_key_file(certificate->file().string(), boost::asio::ssl::context::pem);
        }
        accepting_ = std::jthread([this] { accept(); });
    }

    ~test_server()
    {
        ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
        accepting_.join();
        sockets_.with([](auto& all) {
            for (tcp::socket* s : all)
                ::shutdown(s->native_handle(), SHUT_RDWR);
        });
        serving_.clear();
    }

    std::string url(const std::string& path = "/webhooks/acme", const std::string& host = "127.0.0.1") const
    {
        return (tls_ ? "https://" : "http://") + host + ":" +
               std::to_string(acceptor_.local_endpoint().port()) + path;
    }

    std::size_t connections() const noexcept { return connections_; }
    /// Requests that were read in full, in the order of their arrival.
    std::vector<request> requests()
    {
        return requests_.with([](auto& all) { return all; });
    }

private:
    using tcp = boost::asio::ip::tcp;

    void accept()
    {
        for (;;) {
            boost::system::error_code ec;
            auto socket = std::make_unique<tcp::socket>(context_);
            acceptor_.accept(*socket, ec);
            if (ec)
                return;
            sockets_.with([&socket](auto& all) { all.push_back(socket.get()); });
            const std::size_t index = connections_++;
            serving_.emplace_back([this, index, s = std::move(socket)] { serve(*s, index); });
        }
    }

    void serve(tcp::socket& socket, std::size_t index)
    {
        if (!tls_) {
            converse(socket, index);
        } else {
            boost::asio::ssl::stream<tcp::socket&> stream(socket, *tls_);
            boost::system::error_code ec;
            stream.handshake(boost::asio::ssl::stream_base::server, ec);
            if (!ec)
                converse(stream, index);
        }
        sockets_.with([&socket](auto& all) { std::erase(all, &socket); });
        boost::system::error_code ignored;
        socket.close(ignored);
    }

    template <class Stream>
    void converse(Stream& stream, std::size_t index)
    {
        boost::asio::streambuf buffer;
        boost::system::error_code ec;
        for (std::size_t number = 0;; ++number) {
            request r;
            r.connection = index;
            r.number = number;
            if (!read(stream, buffer, r))
                return;
            requests_.with([&r](auto& all) { all.push_back(r); });
            const action what = answer_(r);
            boost::asio::write(stream, boost::asio::buffer(what.send), ec);
            if (what.then == action::hang)
                boost::asio::read_until(stream, buffer, "no client sends this", ec);
            if (ec || what.then != action::keep)
                return;
        }
    }

    template <class Stream>
    static bool read(Stream& stream, boost::asio::streambuf& buffer, request& into)
    {
        boost::system::error_code ec;
        const std::size_t head = boost::asio::read_until(stream, buffer, "\r\n\r\n", ec);
        if (ec)
            return false;
        into.head = take(buffer, head);
        const auto at = into.head.find("Content-Length: ");
        const std::size_t length = std::stoul(into.head.substr(at + 16));
        if (buffer.size() < length)
            boost::asio::read(stream, buffer, boost::asio::transfer_exactly(length - buffer.size()), ec);
        if (ec)
            return false;
        into.body = take(buffer, length);
        return true;
    }

    static std::string take(boost::asio::streambuf& buffer, std::size_t n)
    {
        const auto data = buffer.data();
        std::string out(static_cast<const char*>(data.data()), n);
        buffer.consume(n);
        return out;
    }

    handler answer_;
    boost::asio::io_context context_;
    tcp::acceptor acceptor_;
    std::unique_ptr<boost::asio::ssl::context> tls_;
    std::atomic<std::size_t> connections_{0};
    guarded<std::vector<request>> requests_;
    guarded<std::vector<tcp::socket*>> sockets_;
    std::vector<std::jthread> serving_;
    std::jthread accepting_;
};

/// A loopback port on which nobody listens.
inline std::string closed_port()
{
    boost::asio::io_context context;
    const boost::asio::ip::tcp::acceptor bound(context, {boost::asio::ip::address_v4::loopback(), 0});
    return std::to_string(bound.local_endpoint().port());
}

} // namespace chargifyd::simulate
