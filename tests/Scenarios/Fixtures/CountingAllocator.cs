using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Tests;

/// <summary>
/// Reads the number of blocks that libusb has allocated and not freed. The preload library native/counting-allocator.c counts these blocks. If the preload
/// library is not loaded, the tests do not check the numbers, and this class writes a note to standard error. Under valgrind, the preload library is not
/// loaded, because valgrind has its own allocator and leak check.
/// </summary>
public static unsafe class CountingAllocator
{
    private static readonly delegate* unmanaged<Counts*, void> s_read = Start();

    /// <summary>Gets whether the preload library counts the blocks.</summary>
    public static bool IsCounting => s_read is not null;

    /// <summary>Reads the current numbers. All numbers are 0 if the blocks are not counted.</summary>
    public static Counts Read()
    {
        Counts counts = default;
        if (s_read is not null)
            s_read(&counts);
        return counts.NotRecorded == 0 ? counts : throw new InvalidOperationException("libusb has more blocks than the counting allocator has room for.");
    }

    /// <summary>
    /// Compares the current counts with the earlier counts in <paramref name="before"/>. Between the two readings, libusb must have freed as many transfers as
    /// it has allocated. The current numbers of libusb's blocks and bytes must be equal to the earlier numbers.
    /// </summary>
    public static void CheckNothingIsLeft(Counts before)
    {
        Counts now = Read();
        Assert.Equal(now.TransfersAllocated - before.TransfersAllocated, now.TransfersFreed - before.TransfersFreed);
        Assert.Equal((before.LiveBlocks, before.LiveBytes), (now.LiveBlocks, now.LiveBytes));
    }

    private static delegate* unmanaged<Counts*, void> Start()
    {
        nint process = NativeLibrary.GetMainProgramHandle(); // finds the exports of preloaded libraries too
        if (!NativeLibrary.TryGetExport(process, "native_libusb_counting_start", out nint start))
        {
            Console.Error.WriteLine("libnative-libusb-counting.so is not preloaded: the allocations of libusb are not counted.");
            return null;
        }

        _ = UsbLibrary.Version; // loads libusb
        nint allocTransfer = NativeLibrary.GetExport(NativeLibrary.Load(UsbLibrary.LoadedPath!), nameof(libusb.libusb_alloc_transfer));
        if (((delegate* unmanaged<nint, byte>)start)(allocTransfer) == 0)
            throw new InvalidOperationException($"The counting allocator does not find libusb_alloc_transfer in {UsbLibrary.LoadedPath}.");
        var read = (delegate* unmanaged<Counts*, void>)NativeLibrary.GetExport(process, "native_libusb_counting_read");
        Counts before, after;
        read(&before);
        libusb_transfer* transfer = libusb.libusb_alloc_transfer(0);
        read(&after);
        libusb.libusb_free_transfer(transfer);
        if (after.LiveTransfers != before.LiveTransfers + 1)
            throw new InvalidOperationException("The counting allocator is preloaded but does not see the allocations of libusb: another allocator comes before it.");
        return read;
    }

    /// <summary>Represents the numbers at one moment, in the layout of the C library's structure.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly record struct Counts
    {
        /// <summary>
        /// Gets or sets the number of calls of <c>libusb_alloc_transfer</c> since the counting began. The number includes libusb's own calls for synchronous
        /// transfers.
        /// </summary>
        public long TransfersAllocated { get; init; }

        /// <summary>Gets or sets the number of transfers that were freed.</summary>
        public long TransfersFreed { get; init; }

        /// <summary>Gets or sets the number of transfers that were not freed.</summary>
        public long LiveTransfers { get; init; }

        /// <summary>
        /// Gets or sets the number of blocks that libusb has allocated and that have not been freed. The number does not include blocks that libc or libudev
        /// has allocated for libusb.
        /// </summary>
        public long LiveBlocks { get; init; }

        /// <summary>Gets or sets the total size of the blocks in <see cref="LiveBlocks"/>, in bytes.</summary>
        public long LiveBytes { get; init; }

        internal long NotRecorded { get; init; }
    }
}
