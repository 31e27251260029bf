using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Tests;

/// <summary>
/// Gets the blocks that libusb has allocated and not freed, as native/counting-allocator.c counts them. That library must be preloaded. Where it is not (valgrind
/// has its own allocator and leak check), tests check everything except the numbers, and this class writes a note to standard error.
/// </summary>
public static unsafe class CountingAllocator
{
    private static readonly delegate* unmanaged<Counts*, void> s_read = Start();

    /// <summary>Gets whether the allocator counts.</summary>
    public static bool IsCounting => s_read is not null;

    /// <summary>Gets the numbers now; all 0 where nothing is counted.</summary>
    public static Counts Read()
    {
        Counts counts = default;
        if (s_read is not null)
            s_read(&counts);
        return counts.NotRecorded == 0 ? counts : throw new InvalidOperationException("libusb has more blocks than the counting allocator has room for.");
    }

    /// <summary>Checks that every transfer that was allocated since then has been freed, and that libusb has as many blocks and bytes as before.</summary>
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

    /// <summary>Represents the numbers at one moment, laid out as the C library writes them.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly record struct Counts
    {
        /// <summary>Gets or sets the number of calls of <c>libusb_alloc_transfer</c> since the start, with those of libusb for synchronous transfers.</summary>
        public long TransfersAllocated { get; init; }

        /// <summary>Gets or sets the number of transfers that were freed.</summary>
        public long TransfersFreed { get; init; }

        /// <summary>Gets or sets the number of transfers that were not freed.</summary>
        public long LiveTransfers { get; init; }

        /// <summary>Gets or sets the number of blocks that libusb itself has allocated (not libc or libudev for libusb) and that were not freed.</summary>
        public long LiveBlocks { get; init; }

        /// <summary>Gets or sets the bytes of these blocks.</summary>
        public long LiveBytes { get; init; }

        internal long NotRecorded { get; init; }
    }
}
