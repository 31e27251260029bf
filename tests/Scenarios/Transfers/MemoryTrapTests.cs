using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Transfers;

/// <summary>
/// Tests that the library frees device memory at the right time, and that the library uses ordinary memory if device memory is not available. The kernel's
/// limit is 1 MiB in these tests. To check that device memory has been freed, a test allocates as much device memory as the limit allows. The kernel refuses
/// the allocation if other device memory is still mapped.
/// </summary>
public sealed class MemoryTrapTests : BusTest
{
    private const int Most = (1 << 20) - 8192; // the kernel also counts its bookkeeping of a mapping
    private const int Half = Most / 2;

    private readonly BulkLoopback _loopback = new(new BulkLoopbackOptions { Speed = VirtualSpeed.Super });

    public MemoryTrapTests()
        : base(new VirtualBusOptions { UsbfsMemoryMegabytes = 1 }) => Bus.Attach(_loopback);

    [BusFact]
    public void Device_memory_is_allocated_only_on_request()
    {
        using UsbDeviceHandle handle = Open(_loopback);
        using UsbBuffer buffer = handle.AllocateBuffer(Half);
        Assert.False(buffer.IsDeviceMemory);
        AssertFree(handle);
    }

    [BusFact]
    public void A_buffer_disposed_in_flight_is_written_to_and_freed_after_the_transfer()
    {
        using UsbDeviceHandle handle = Open(_loopback);
        UsbBuffer buffer = handle.AllocateBuffer(Half, preferDeviceMemory: true);
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulkPinned(BulkLoopback.InAddress, buffer.Memory[..1024]);
        transfer.Submit();
        buffer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => buffer.GetSpan().Length);
        Assert.Throws<ObjectDisposedException>(() => buffer.Pin());
        handle.At(BulkLoopback.OutAddress).Write([1, 2, 3], Patience);
        Finish(transfer);
        Assert.Equal(new byte[] { 1, 2, 3 }, transfer.Data.ToArray());
        AssertUsed(handle); // the transfer may be submitted again
        transfer.SetBulk(BulkLoopback.InAddress, 1024);
        AssertFree(handle);
    }

    [BusFact]
    public void Several_transfers_use_parts_of_a_buffer_and_the_last_of_them_frees_it()
    {
        using UsbDeviceHandle handle = Open(_loopback);
        UsbBuffer buffer = handle.AllocateBuffer(Half, preferDeviceMemory: true);
        UsbTransfer[] transfers = [.. Enumerable.Range(0, 4).Select(_ => handle.CreateTransfer())];
        for (int i = 0; i < transfers.Length; i++)
        {
            transfers[i].SetBulkPinned(BulkLoopback.InAddress, buffer.Memory.Slice(i * 1024, 1024));
            transfers[i].Submit();
        }

        buffer.Dispose();
        for (byte i = 0; i < transfers.Length; i++)
        {
            handle.At(BulkLoopback.OutAddress).Write([i], Patience);
            Finish(transfers[i]);
            Assert.Equal(i, transfers[i].Data[0]);
        }

        foreach (UsbTransfer transfer in transfers)
        {
            AssertUsed(handle);
            transfer.Dispose();
        }

        AssertFree(handle);
    }

    [BusFact]
    public void Closing_the_handle_cancels_the_transfers_in_flight_before_it_frees_the_memory()
    {
        UsbDeviceHandle handle = Open(_loopback);
        UsbBuffer buffer = handle.AllocateBuffer(Half, preferDeviceMemory: true);
        var transfer = handle.CreateTransfer();
        UsbTransferStatus? status = null;
        byte last = 0;
        transfer.SetBulkPinned(BulkLoopback.InAddress, buffer.Memory, t =>
        {
            status = t.Status;
            t.Buffer.Fill(7); // the memory stays mapped until the callback has returned
            last = t.Buffer[^1];
        });
        transfer.Submit();
        handle.Dispose();
        Assert.Equal(UsbTransferStatus.Canceled, status);
        Assert.Equal(7, last);
        Assert.Throws<ObjectDisposedException>(() => buffer.GetSpan().Length);
        buffer.Dispose();
        using UsbDeviceHandle again = Open(_loopback);
        AssertFree(again);
    }

    [BusFact]
    public void Memory_that_the_program_has_pinned_keeps_the_device_open()
    {
        UsbDeviceHandle handle = Open(_loopback);
        UsbBuffer buffer = handle.AllocateBuffer(Half, preferDeviceMemory: true);
        using (MemoryHandle pinned = buffer.Pin(1))
        {
            handle.Dispose();
            Write(pinned); // pinned memory stays mapped
            Assert.Throws<ObjectDisposedException>(() => buffer.GetSpan().Length);
            using UsbDeviceHandle beside = Open(_loopback); // succeeds because the interface is released immediately
            AssertUsed(beside);
        }

        using UsbDeviceHandle again = Open(_loopback);
        AssertFree(again);
    }

    [BusFact]
    public void Memory_unpinned_in_a_callback_is_freed_after_that_callback()
    {
        UsbDeviceHandle handle = Open(_loopback);
        UsbBuffer buffer = handle.AllocateBuffer(Half, preferDeviceMemory: true);
        MemoryHandle pinned = buffer.Pin();
        handle.Dispose();
        using UsbDeviceHandle again = Open(_loopback);
        using UsbTransfer transfer = again.CreateTransfer();
        transfer.SetBulk(BulkLoopback.OutAddress, 1, _ => pinned.Dispose()); // would close the first handle, which libusb forbids in a callback
        transfer.Submit();
        Finish(transfer);
        AssertFree(again);
    }

    [BusFact]
    public void A_forgotten_handle_gives_its_memory_back()
    {
        Forget();
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        using UsbDeviceHandle again = Open(_loopback);
        AssertFree(again);

        [MethodImpl(MethodImplOptions.NoInlining)]
        void Forget()
        {
            UsbDeviceHandle handle = Open(_loopback);
            UsbBuffer buffer = handle.AllocateBuffer(Half, preferDeviceMemory: true);
            Assert.True(buffer.IsDeviceMemory);
            handle.CreateTransfer().SetBulkPinned(BulkLoopback.InAddress, buffer.Memory);
        }
    }

    [BusFact]
    public void At_the_limit_a_buffer_is_ordinary_memory()
    {
        using UsbDeviceHandle handle = Open(_loopback);
        using UsbBuffer first = handle.AllocateBuffer(Half + 1, preferDeviceMemory: true);
        using UsbBuffer second = handle.AllocateBuffer(Half + 1, preferDeviceMemory: true);
        Assert.True(first.IsDeviceMemory);
        Assert.False(second.IsDeviceMemory);
        AssertWorks(handle, second);
    }

    private static unsafe void Write(MemoryHandle pinned) => new Span<byte>(pinned.Pointer, Half - 1).Fill(1);

    private static void AssertWorks(UsbDeviceHandle handle, UsbBuffer buffer)
    {
        handle.At(BulkLoopback.OutAddress).Write([1, 2, 3], Patience);
        Assert.Equal(3, handle.At(BulkLoopback.InAddress).Read(buffer.GetSpan()[..1024], Patience));
        Assert.Equal(new byte[] { 1, 2, 3 }, buffer.GetSpan()[..3].ToArray());
    }

    /// <summary>Checks that no memory is mapped. For this purpose, the method maps all memory that the limit allows.</summary>
    private static void AssertFree(UsbDeviceHandle handle)
    {
        using UsbBuffer all = handle.AllocateBuffer(Most, preferDeviceMemory: true);
        Assert.True(all.IsDeviceMemory, string.Create(CultureInfo.InvariantCulture, $"Some of {Most} bytes are still mapped."));
    }

    private static void AssertUsed(UsbDeviceHandle handle)
    {
        using UsbBuffer all = handle.AllocateBuffer(Most, preferDeviceMemory: true);
        Assert.False(all.IsDeviceMemory, "No memory is mapped.");
    }
}

/// <summary>Tests buffers on a kernel that does not support device memory.</summary>
[PreloadOnly(KernelLimits.Capabilities)]
public sealed class NoDeviceMemoryTests : BusTest
{
    public NoDeviceMemoryTests()
        : base(new VirtualBusOptions { Capabilities = UsbfsCapabilities.Default & ~UsbfsCapabilities.Mmap })
    {
    }

    [BusFact]
    public void A_buffer_is_ordinary_memory_on_a_kernel_without_device_memory()
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        using UsbBuffer buffer = handle.AllocateBuffer(5000, preferDeviceMemory: true);
        Assert.False(buffer.IsDeviceMemory);
        Assert.Equal(5000, buffer.GetSpan().Length);
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulkPinned(BulkLoopback.InAddress, buffer.Memory[..512]);
        transfer.Submit();
        handle.At(BulkLoopback.OutAddress).Write([9], Patience);
        Finish(transfer);
        Assert.Equal(9, buffer.GetSpan()[0]);
    }
}
