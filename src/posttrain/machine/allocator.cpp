// A best-fit allocator for torch's CPU tensors: large ones lie in one range of addresses, and freed memory is reused.
//
// glibc serves an aligned request from a block that is larger by the alignment, so a freed tensor leaves a hole into
// which no tensor of the same size fits. Here each request takes the smallest hole that holds it (best fit), and a freed
// block merges with its neighbours. Pages that were touched once stay with the process.

#include <pthread.h>
#include <sys/mman.h>

#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>

namespace {

constexpr size_t ALIGNMENT = 64;           // bytes, as in torch
constexpr size_t LARGE = size_t{1} << 16;  // bytes; smaller tensors are left to torch

class Range {
 public:
  bool reserve(size_t bytes) {
    void* start = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) return false;
    start_ = static_cast<char*>(start);
    size_ = bytes;
    return true;
  }

  bool contains(const void* address) const {
    const char* p = static_cast<const char*>(address);
    return p >= start_ && p < start_ + size_;
  }

  // Null if no hole is large enough and the range is used up.
  void* allocate(size_t bytes) {
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    const std::lock_guard<std::mutex> guard(lock);
    size_t offset = end_;
    if (auto best = by_size_.lower_bound({bytes, 0}); best != by_size_.end()) {
      const auto [length, start] = *best;
      offset = start;
      remove_hole(start, length);
      if (length > bytes) add_hole(start + bytes, length - bytes);
    } else if (bytes <= size_ - end_) {
      end_ += bytes;
    } else {
      return nullptr;
    }
    allocated_[offset] = bytes;
    return start_ + offset;
  }

  void release(void* address) {
    const std::lock_guard<std::mutex> guard(lock);
    const auto block = allocated_.find(static_cast<char*>(address) - start_);
    size_t offset = block->first, length = block->second;
    allocated_.erase(block);
    if (const auto after = holes_.find(offset + length); after != holes_.end()) {
      const size_t size = after->second;
      remove_hole(offset + length, size);
      length += size;
    }
    if (auto before = holes_.lower_bound(offset); before != holes_.begin()) {
      const auto [start, size] = *--before;
      if (start + size == offset) {
        remove_hole(start, size);
        offset = start;
        length += size;
      }
    }
    if (offset + length == end_) {
      end_ = offset;
    } else {
      add_hole(offset, length);
    }
  }

  std::mutex lock;

 private:
  void add_hole(size_t offset, size_t length) {
    holes_.emplace(offset, length);
    by_size_.emplace(length, offset);
  }

  void remove_hole(size_t offset, size_t length) {
    holes_.erase(offset);
    by_size_.erase({length, offset});
  }

  char* start_ = nullptr;
  size_t size_ = 0, end_ = 0;                     // all tensors lie before the end
  std::unordered_map<size_t, size_t> allocated_;  // offset -> length
  std::map<size_t, size_t> holes_;                // offset -> length; two holes never touch
  std::set<std::pair<size_t, size_t>> by_size_;   // (length, offset) of the holes
};

// Never destroyed, because tensors may outlive static objects.
Range& range() {
  static Range* const instance = new Range;
  return *instance;
}

void release(void* address) {
  if (address == nullptr) return;
  c10::profiledCPUMemoryReporter().Delete(address);
  if (range().contains(address)) {
    range().release(address);
  } else {
    c10::free_cpu(address);
  }
}

struct Allocator final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    void* address = bytes >= LARGE ? range().allocate(bytes) : nullptr;
    if (address == nullptr) address = c10::alloc_cpu(bytes);  // throws, as torch does, if there is no memory
    c10::profiledCPUMemoryReporter().New(address, bytes);
    return {address, address, &release, c10::Device(c10::DeviceType::CPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &release; }

  void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }
};

}  // namespace

// Makes torch allocate in a range of `bytes` from now on. Returns 0 if the range cannot be reserved.
extern "C" int install(size_t bytes) {
  if (!range().reserve(bytes)) return 0;
  // A forked child must not inherit the lock from a thread that it does not have.
  pthread_atfork([] { range().lock.lock(); }, [] { range().lock.unlock(); }, [] { range().lock.unlock(); });
  static Allocator* const allocator = new Allocator;
  c10::SetCPUAllocator(allocator, /*priority=*/1);
  return 1;
}
