#include "journal/source.hpp"

#include <spdlog/fmt/fmt.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <vector>

namespace chargifyd::journal {

namespace {

class raw_source final : public source {
public:
    raw_source(std::filesystem::path path, std::unique_ptr<file> from)
        : path_(std::move(path))
        , file_(std::move(from))
    {}

    result<std::size_t> read(std::span<char> into, std::uint64_t offset) override
    {
        std::size_t got = 0;
        if (const int failed = file_->read_at(into, offset, &got))
            return file_error(failed, "cannot read", path_);
        return got;
    }

private:
    std::filesystem::path path_;
    std::unique_ptr<file> file_;
};

struct free_decompressor {
    void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

class compressed_source final : public source {
public:
    compressed_source(std::filesystem::path path, std::unique_ptr<file> from, std::uint64_t content_bytes)
        : path_(std::move(path))
        , file_(std::move(from))
        , content_bytes_(content_bytes)
        , context_(ZSTD_createDCtx())
        , block_(ZSTD_DStreamInSize())
    {
        if (!context_)
            throw std::bad_alloc();
        ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, largest_window_log);
        restart();
    }

    result<std::size_t> read(std::span<char> into, std::uint64_t offset) override
    {
        if (offset < position_)
            restart();
        std::array<char, 16 * 1024> unwanted;
        while (position_ < offset) {
            const std::size_t n = std::min<std::uint64_t>(unwanted.size(), offset - position_);
            const result<std::size_t> got = produce({unwanted.data(), n});
            if (!got || *got == 0)
                return got;
        }
        return produce(into);
    }

private:
    static constexpr int largest_window_log = 27; // 128 MiB: what the zstd tool accepts too

    void restart() noexcept
    {
        ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only);
        file_offset_ = format::prologue_bytes;
        input_ = {block_.data(), 0, 0};
        position_ = 0;
        ended_ = false;
    }

    error corrupt(std::string_view why) const
    {
        return make_error(errc::corrupt, damage(path_, file_offset_ - (input_.size - input_.pos), why));
    }

    result<void> refill()
    {
        std::size_t got = 0;
        if (const int failed = file_->read_at(block_, file_offset_, &got))
            return file_error(failed, "cannot read", path_);
        file_offset_ += got;
        input_ = {block_.data(), got, 0};
        return {};
    }

    result<std::size_t> produce(std::span<char> into)
    {
        ZSTD_outBuffer output{into.data(), into.size(), 0};
        while (output.pos < output.size && !ended_) {
            if (input_.pos == input_.size) {
                if (const result<void> filled = refill(); !filled)
                    return filled.error();
            }
            const std::size_t before = output.pos;
            const bool file_ended = input_.size == 0;
            const std::size_t left = ZSTD_decompressStream(context_.get(), &output, &input_);
            if (ZSTD_isError(left) != 0)
                return corrupt(ZSTD_getErrorName(left));
            ended_ = left == 0;
            if (file_ended && !ended_ && output.pos == before)
                return corrupt("the compressed data ends too early");
            const std::uint64_t reached = position_ + output.pos;
            if (reached > content_bytes_ || (ended_ && reached != content_bytes_))
                return corrupt("the compressed data has another length than the segment had");
        }
        position_ += output.pos;
        return output.pos;
    }

    std::filesystem::path path_;
    std::unique_ptr<file> file_;
    std::uint64_t content_bytes_;
    std::unique_ptr<ZSTD_DCtx, free_decompressor> context_;
    std::vector<char> block_;
    ZSTD_inBuffer input_{};
    std::uint64_t file_offset_ = 0; ///< of the first byte not yet in block_
    std::uint64_t position_ = 0;    ///< of the next uncompressed byte
    bool ended_ = false;
};

result<std::string_view> read_block(const file& from, const std::filesystem::path& path, std::span<char> into,
                                    std::uint64_t offset)
{
    std::size_t got = 0;
    if (const int failed = from.read_at(into, offset, &got))
        return file_error(failed, "cannot read", path);
    return std::string_view(into.data(), got);
}

std::optional<format::batch_header> decode_seal(std::string_view bytes, const segment_file& segment)
{
    if (!segment.header || segment.content_bytes < 2 * format::header_bytes)
        return std::nullopt;
    auto seal = format::decode_batch_header(bytes, segment.header->salt,
                                            segment.content_bytes - format::header_bytes);
    return seal && seal->kind == format::batch_kind::seal ? seal : std::nullopt;
}

result<void> read_raw_ends(const file& from, segment_file& segment)
{
    std::array<char, format::header_bytes> block{};
    const auto first = read_block(from, segment.path, block, 0);
    if (!first)
        return first.error();
    segment.header = format::decode_segment_header(*first);
    segment.content_bytes = segment.file_bytes;
    if (segment.content_bytes < 2 * format::header_bytes)
        return {};
    const auto last = read_block(from, segment.path, block, segment.content_bytes - format::header_bytes);
    if (!last)
        return last.error();
    segment.seal = decode_seal(*last, segment);
    return {};
}

result<void> read_compressed_ends(const file& from, segment_file& segment)
{
    std::array<char, format::prologue_bytes> block{};
    const auto bytes = read_block(from, segment.path, block, 0);
    if (!bytes)
        return bytes.error();
    const auto ends = format::decode_prologue(*bytes);
    if (!ends || ends->file_bytes != segment.file_bytes)
        return {};
    segment.header = format::decode_segment_header({ends->first.data(), ends->first.size()});
    segment.content_bytes = ends->content_bytes;
    segment.seal = decode_seal({ends->last.data(), ends->last.size()}, segment);
    return {};
}

} // namespace

segment_info segment_file::info() const
{
    segment_info about;
    about.path = path;
    about.first_sequence = first_sequence;
    about.last_sequence = first_sequence - 1;
    about.bytes = file_bytes;
    about.compressed = compressed;
    about.sealed = seal.has_value();
    if (header)
        about.created_at = header->created_at;
    if (seal) {
        about.last_sequence = seal->first_sequence - 1;
        about.sealed_at = seal->written_at;
    }
    return about;
}

result<segment_file> open_segment(file_system& files, const std::filesystem::path& directory,
                                  const segment_names& names)
{
    segment_file segment;
    segment.first_sequence = names.first_sequence;
    segment.compressed = names.compressed;
    segment.path = names.compressed ? compressed_path(directory, names.first_sequence)
                                    : raw_path(directory, names.first_sequence);
    std::unique_ptr<file> opened;
    if (const int failed = files.open(segment.path, file_system::mode::read, &opened))
        return file_error(failed, "cannot open", segment.path);
    if (const int failed = opened->size(&segment.file_bytes))
        return file_error(failed, "cannot read the size of", segment.path);
    const result<void> read =
        segment.compressed ? read_compressed_ends(*opened, segment) : read_raw_ends(*opened, segment);
    if (!read)
        return read.error();
    if (segment.header && segment.header->version != format::version)
        return make_error(errc::invalid,
                          fmt::format("{}: format version {} of the journal; this program knows {}",
                                      segment.path.string(), segment.header->version, format::version));
    if (segment.compressed)
        segment.content =
            std::make_unique<compressed_source>(segment.path, std::move(opened), segment.content_bytes);
    else
        segment.content = std::make_unique<raw_source>(segment.path, std::move(opened));
    return segment;
}

} // namespace chargifyd::journal
