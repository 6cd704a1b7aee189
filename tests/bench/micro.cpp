// The pieces by themselves.
#include "bench_journal.hpp"
#include "bodies.hpp"
#include "ingress/gate.hpp"
#include "temporary_directory.hpp"

#include "chargifyd/chargify/envelope.hpp"
#include "chargifyd/chargify/signature.hpp"
#include "chargifyd/state/projection.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace chargifyd::bench {

namespace {

using simulate::load_mix;

constexpr std::uint64_t subscriptions = 10000;

load_mix mix_of(const benchmark::State& run)
{
    return run.range(0) == 0 ? load_mix::payments : load_mix::renewals;
}

void head(benchmark::State& run)
{
    const std::string text =
        "POST /webhooks/acme HTTP/1.1\r\nHost: webhooks.example.com\r\nAccept: */*; q=0.5, "
        "application/xml\r\n"
        "Accept-Encoding: gzip, deflate\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        "X-Chargify-Webhook-Id: 1234567890\r\nX-Chargify-Webhook-Signature-Hmac-Sha-256: " +
        std::string(64, 'a') + "\r\nContent-Length: 4096\r\n\r\n";
    for (auto _ : run) {
        ingress::head_scanner scanner;
        benchmark::DoNotOptimize(scanner.scan(text));
        ingress::request_head found;
        benchmark::DoNotOptimize(ingress::read_head(text, {}, found));
    }
}
BENCHMARK(head);

void verify_hmac(benchmark::State& run)
{
    const std::string body = simulate::load_webhook("acme", 1, subscriptions).body;
    const chargify::verifier keys({secret("bench-shared-key")});
    const digest256 signature = chargify::hmac_sha256("bench-shared-key", body);
    for (auto _ : run)
        benchmark::DoNotOptimize(keys.verify(body, signature));
    run.SetBytesProcessed(static_cast<std::int64_t>(run.iterations() * body.size()));
}
BENCHMARK(verify_hmac);

void decode_form(benchmark::State& run)
{
    const auto all = bodies(mix_of(run), 1, 64, subscriptions);
    std::size_t i = 0;
    for (auto _ : run)
        benchmark::DoNotOptimize(chargify::form::parse(all[i++ % all.size()]));
}
BENCHMARK(decode_form)->ArgName("renewals")->Arg(0)->Arg(1);

void read_envelope(benchmark::State& run)
{
    const auto all = bodies(mix_of(run), 1, 64, subscriptions);
    std::size_t i = 0;
    for (auto _ : run)
        benchmark::DoNotOptimize(
            chargify::read_envelope(std::move(*chargify::form::parse(all[i++ % all.size()]))));
}
BENCHMARK(read_envelope)->ArgName("renewals")->Arg(0)->Arg(1);

/// All that is done to a webhook before the store.
void prepare(benchmark::State& run)
{
    const auto all = bodies(mix_of(run), 1, 64, subscriptions);
    std::uint64_t i = 0;
    for (auto _ : run) {
        ++i;
        benchmark::DoNotOptimize(state::prepare(i, "acme", timestamp{}, all[i % all.size()]));
    }
}
BENCHMARK(prepare)->ArgName("renewals")->Arg(0)->Arg(1);

/// So many webhooks through the journal, with its thread and its sync.
void append_batch(benchmark::State& run)
{
    const test::temporary_directory home;
    bench_journal journal(home / "journal");
    const auto all = bodies(load_mix::payments, 1, static_cast<std::size_t>(run.range(0)), subscriptions);
    for (auto _ : run)
        journal.append(all);
    run.SetItemsProcessed(static_cast<std::int64_t>(run.iterations()) * run.range(0));
}
BENCHMARK(append_batch)->ArgName("webhooks")->Arg(1)->Arg(64)->Arg(512)->UseRealTime();

/// A transaction of 512 webhooks that are prepared already.
void apply_batch(benchmark::State& run)
{
    constexpr std::size_t in_batch = 512;
    const test::temporary_directory home;
    auto store = state::sqlite_store::open(home / "state.db", "bench", {});
    std::uint64_t sequence = 0;
    for (auto _ : run) {
        run.PauseTiming();
        std::vector<state::webhook> batch;
        for (const std::string& body : bodies(mix_of(run), sequence + 1, in_batch, subscriptions))
            batch.push_back(state::prepare(++sequence, "acme", timestamp{}, body));
        run.ResumeTiming();
        state::row_cache rows(**store);
        (*store)->begin();
        for (const state::webhook& w : batch)
            benchmark::DoNotOptimize(state::apply(**store, rows, w));
        rows.flush();
        (*store)->commit(sequence);
    }
    run.SetItemsProcessed(static_cast<std::int64_t>(run.iterations() * in_batch));
}
BENCHMARK(apply_batch)->ArgName("renewals")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

} // namespace

} // namespace chargifyd::bench

BENCHMARK_MAIN();
