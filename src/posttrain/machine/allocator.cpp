// Memory of torch's tensors on a CPU: large ones lie in one range of addresses, and what is freed is given out again.
//
// glibc answers an aligned request with a block that is larger by the alignment, so a freed tensor leaves a hole into
// which no tensor of the same size fits. Here each request takes the smallest hole that holds it (best fit) and what is
// freed joins its neighbours. Pages that were touched once stay with the process.

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

constexpr size_t LINE = 64;            // bytes: where tensors begin, as torch has it
constexpr size_t LARGE = size_t{1} << 16;  // smaller tensors are left to torch

class Range {
 public:
  bool reserve(size_t bytes) {
    void* start = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) return false;
    start_ = static_cast<char*>(start);
    size_ = bytes;
    return true;
  }

  bool holds(const void* place) const {
    const char* p = static_cast<const char*>(place);
    return p >= start_ && p < start_ + size_;
  }

  // Null if nothing is left.
  void* take(size_t bytes) {
    bytes = (bytes + LINE - 1) / LINE * LINE;
    const std::lock_guard<std::mutex> one_at_a_time(lock);
    size_t offset = end_;
    if (auto best = by_size_.lower_bound({bytes, 0}); best != by_size_.end()) {
      const auto [length, where] = *best;
      offset = where;
      forget(where, length);
      if (length > bytes) remember(where + bytes, length - bytes);
    } else if (bytes <= size_ - end_) {
      end_ += bytes;
    } else {
      return nullptr;
    }
    taken_[offset] = bytes;
    return start_ + offset;
  }

  void give_back(void* place) {
    const std::lock_guard<std::mutex> one_at_a_time(lock);
    const auto found = taken_.find(static_cast<char*>(place) - start_);
    size_t offset = found->first, length = found->second;
    taken_.erase(found);
    if (const auto after = holes_.find(offset + length); after != holes_.end()) {
      const size_t more = after->second;
      forget(offset + length, more);
      length += more;
    }
    if (auto before = holes_.lower_bound(offset); before != holes_.begin()) {
      const auto [where, more] = *--before;
      if (where + more == offset) {
        forget(where, more);
        offset = where;
        length += more;
      }
    }
    if (offset + length == end_) {
      end_ = offset;
    } else {
      remember(offset, length);
    }
  }

  std::mutex lock;

 private:
  void remember(size_t offset, size_t length) {
    holes_.emplace(offset, length);
    by_size_.emplace(length, offset);
  }

  void forget(size_t offset, size_t length) {
    holes_.erase(offset);
    by_size_.erase({length, offset});
  }

  char* start_ = nullptr;
  size_t size_ = 0, end_ = 0;                     // no tensor lies beyond the end
  std::unordered_map<size_t, size_t> taken_;      // offset -> length
  std::map<size_t, size_t> holes_;                // offset -> length; neighbours never touch
  std::set<std::pair<size_t, size_t>> by_size_;   // (length, offset) of the holes
};

// Never destroyed: tensors may outlive all that is.
Range& range() {
  static Range* const only = new Range;
  return *only;
}

void give_back(void* place) {
  if (place == nullptr) return;
  c10::profiledCPUMemoryReporter().Delete(place);
  if (range().holds(place)) {
    range().give_back(place);
  } else {
    c10::free_cpu(place);
  }
}

struct Allocator final : c10::Allocator {
  c10::DataPtr allocate(size_t bytes) override {
    void* place = bytes >= LARGE ? range().take(bytes) : nullptr;
    if (place == nullptr) place = c10::alloc_cpu(bytes);  // throws, as torch does, if there is no memory
    c10::profiledCPUMemoryReporter().New(place, bytes);
    return {place, place, &give_back, c10::Device(c10::DeviceType::CPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }

  void copy_data(void* to, const void* from, std::size_t bytes) const override { default_copy_data(to, from, bytes); }
};

}  // namespace

// From now on torch allocates in a range of so many bytes. 0 if it could not be had.
extern "C" int install(size_t bytes) {
  if (!range().reserve(bytes)) return 0;
  // A child must not find the lock held by a thread that it does not have.
  pthread_atfork([] { range().lock.lock(); }, [] { range().lock.unlock(); }, [] { range().lock.unlock(); });
  static Allocator* const ours = new Allocator;
  c10::SetCPUAllocator(ours, /*priority=*/1);
  return 1;
}
