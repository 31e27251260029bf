using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Tests;

/// <summary>
/// Represents what libusb has allocated and not freed, counted by native/counting-allocator.c. That library must be preloaded; where it is not (valgrind
/// brings an allocator of its own, and a leak check) tests check everything but the numbers, and standard error says so.
/// </summary>
public static unsafe class CountingAllocator
{
    private static readonly delegate* unmanaged<Counts*, void> s_read = Start();

    /// <summary>Gets whether it counts.</summary>
    public static bool IsCounting => s_read is not null;

    /// <summary>Gets the numbers now; all 0 where nothing is counted.</summary>
    public static Counts Read()
    {
        Counts counts = default;
        if (s_read is not null)
            s_read(&counts);
        return counts.NotRecorded == 0 ? counts : throw new InvalidOperationException("libusb has more blocks than the counting allocator has room for.");
    }

    /// <summary>Fails unless every transfer that was made since has been freed, and libusb has nothing more than it had: it keeps nothing itself.</summary>
    public static void CheckNothingIsLeft(Counts before)
    {
        Counts now = Read();
        Assert.Equal(now.TransfersAllocated - before.TransfersAllocated, now.TransfersFreed - before.TransfersFreed);
        Assert.Equal((before.LiveBlocks, before.LiveBytes), (now.LiveBlocks, now.LiveBytes));
    }

    private static delegate* unmanaged<Counts*, void> Start()
    {
        nint process = NativeLibrary.GetMainProgramHandle(); // what is preloaded is found here too
        if (!NativeLibrary.TryGetExport(process, "native_libusb_counting_start", out nint start))
        {
            Console.Error.WriteLine("libnative-libusb-counting.so is not preloaded: what libusb allocates is not counted.");
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
            throw new InvalidOperationException("The counting allocator is preloaded but does not see what libusb allocates: another allocator comes before it.");
        return read;
    }

    /// <summary>Represents the numbers at one moment, laid out as the C library writes them.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public readonly record struct Counts
    {
        /// <summary>Gets or sets the calls of <c>libusb_alloc_transfer</c> since the start; those that libusb makes itself, for synchronous transfers, too.</summary>
        public long TransfersAllocated { get; init; }

        /// <summary>Gets or sets how many of these were freed.</summary>
        public long TransfersFreed { get; init; }

        /// <summary>Gets or sets how many of these were not.</summary>
        public long LiveTransfers { get; init; }

        /// <summary>Everything that libusb has allocated itself (not libc or libudev for it) and nobody has freed.</summary>
        public long LiveBlocks { get; init; }

        /// <summary>Gets or sets the bytes of these.</summary>
        public long LiveBytes { get; init; }

        internal long NotRecorded { get; init; }
    }
}
