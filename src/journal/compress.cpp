#include "journal/compress.hpp"

#include "journal/edited_source.hpp"
#include "journal/format.hpp"
#include "journal/names.hpp"
#include "journal/source.hpp"

#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

namespace chargifyd::journal {

namespace {

constexpr int level = 3;
constexpr std::size_t read_block_bytes = 64 * 1024;

struct free_compressor {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
};

/// Compresses the content of a segment into a file, behind space for the prologue. Returns the length of the
/// file.
class compressor {
public:
    compressor(const segment_file& from, source& content, file& to, std::filesystem::path path)
        : from_(from)
        , content_(content)
        , to_(to)
        , path_(std::move(path))
        , context_(ZSTD_createCCtx())
        , input_(read_block_bytes)
        , output_(ZSTD_CStreamOutSize())
    {
        if (!context_)
            throw std::bad_alloc();
        ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level);
        ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
        ZSTD_CCtx_setPledgedSrcSize(context_.get(), from.content_bytes);
    }

    result<std::uint64_t> run()
    {
        for (std::uint64_t done = 0; done < from_.content_bytes;) {
            const result<std::size_t> got = content_.read(input_, done);
            if (!got)
                return got.error();
            if (*got == 0)
                return make_error(errc::corrupt, damage(from_.path, done, "the file became shorter"));
            done += *got;
            const bool last = done >= from_.content_bytes;
            if (auto written = write({input_.data(), *got, 0}, last ? ZSTD_e_end : ZSTD_e_continue); !written)
                return written.error();
        }
        return end_;
    }

private:
    result<void> write(ZSTD_inBuffer input, ZSTD_EndDirective how)
    {
        for (;;) {
            ZSTD_outBuffer output{output_.data(), output_.size(), 0};
            const std::size_t left = ZSTD_compressStream2(context_.get(), &output, &input, how);
            if (ZSTD_isError(left) != 0)
                return make_error(errc::io,
                                  "cannot compress " + from_.path.string() + ": " + ZSTD_getErrorName(left));
            if (const int failed = to_.write_at({output_.data(), output.pos}, end_))
                return file_error(failed, "cannot write", path_);
            end_ += output.pos;
            if (how == ZSTD_e_end ? left == 0 : input.pos == input.size)
                return {};
        }
    }

    const segment_file& from_;
    source& content_;
    file& to_;
    std::filesystem::path path_;
    std::unique_ptr<ZSTD_CCtx, free_compressor> context_;
    std::vector<char> input_;
    std::vector<char> output_;
    std::uint64_t end_ = format::prologue_bytes;
};

/// Returns the length of the file.
result<std::uint64_t> write_copy(file_system& files, const segment_file& from, source& content,
                                 const std::filesystem::path& path)
{
    std::unique_ptr<file> to;
    if (const int failed = files.open(path, file_system::mode::create, &to))
        return file_error(failed, "cannot create", path);
    const result<std::uint64_t> bytes = compressor(from, content, *to, path).run();
    if (!bytes)
        return bytes;
    format::prologue ends;
    ends.first = format::encode(*from.header);
    ends.last = format::encode(*from.seal, from.header->salt);
    ends.content_bytes = from.content_bytes;
    ends.file_bytes = *bytes;
    const auto prologue = format::encode(ends);
    if (const int failed = to->write_at({prologue.data(), prologue.size()}, 0))
        return file_error(failed, "cannot write", path);
    if (const int failed = to->sync())
        return file_error(failed, "cannot sync", path);
    return bytes;
}

} // namespace

namespace {

result<segment_file> open_sealed(file_system& files, const std::filesystem::path& directory,
                                 const segment_info& segment, bool compressed)
{
    result<segment_file> from =
        open_segment(files, directory, {segment.first_sequence, !compressed, compressed});
    if (from && (!from->header || !from->seal))
        return make_error(errc::corrupt,
                          damage(from->path, 0, "the segment's header or seal is not what was written"));
    return from;
}

/// Puts a compressed copy of the segment in the place of the compressed file, if there is one.
result<segment_info> write_compressed(file_system& files, const std::filesystem::path& directory,
                                      const segment_info& segment, const segment_file& from, source& content)
{
    const std::filesystem::path temporary = temporary_path(directory, segment.first_sequence);
    const std::filesystem::path path = compressed_path(directory, segment.first_sequence);
    if (const int failed = files.remove(temporary); failed != 0 && failed != ENOENT)
        return file_error(failed, "cannot remove", temporary);
    const result<std::uint64_t> bytes = write_copy(files, from, content, temporary);
    if (!bytes) {
        files.remove(temporary); // best effort: the next start removes it too
        return bytes.error();
    }
    if (const int failed = files.rename(temporary, path))
        return file_error(failed, "cannot rename", temporary);
    if (const int failed = files.sync_directory(directory))
        return file_error(failed, "cannot sync", directory);
    segment_info copy = segment;
    copy.path = path;
    copy.bytes = *bytes;
    copy.compressed = true;
    return copy;
}

} // namespace

result<segment_info> compress_segment(file_system& files, const std::filesystem::path& directory,
                                      const segment_info& segment)
{
    const result<segment_file> from = open_sealed(files, directory, segment, false);
    if (!from)
        return from.error();
    return write_compressed(files, directory, segment, *from, *from->content);
}

result<std::size_t> edit_segment(file_system& files, const std::filesystem::path& directory,
                                 segment_info& segment, const body_editor& edit)
{
    auto from = open_sealed(files, directory, segment, segment.compressed);
    if (!from)
        return from.error();
    // Most segments hold nothing of interest: they are read, but not written.
    const result<std::size_t> wanted = edited_source(*from, edit).count();
    if (!wanted)
        return wanted;
    if (*wanted > 0) {
        from = open_sealed(files, directory, segment, segment.compressed);
        if (!from)
            return from.error();
        edited_source edited(*from, edit);
        const result<segment_info> copy = write_compressed(files, directory, segment, *from, edited);
        if (!copy)
            return copy.error();
        segment = *copy;
    }
    if (!segment.compressed)
        return wanted;
    // Also one that could not be removed before.
    const std::filesystem::path raw = raw_path(directory, segment.first_sequence);
    if (const int failed = files.remove(raw); failed == ENOENT)
        return wanted;
    else if (failed != 0)
        return file_error(failed, "cannot remove", raw);
    if (const int failed = files.sync_directory(directory))
        return file_error(failed, "cannot sync", directory);
    return wanted;
}

} // namespace chargifyd::journal
