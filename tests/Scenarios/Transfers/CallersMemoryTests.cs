using System.Runtime.CompilerServices;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Transfers;

/// <summary>
/// Tests that libusb reads and writes the caller's memory directly. The library must pass the address of the memory's first byte to libusb, and must not copy
/// the data.
/// </summary>
public sealed class CallersMemoryTests : BusTest
{
    private const byte Untouched = 0xee;

    public CallersMemoryTests()
        : base(new VirtualBusOptions { UsbfsMemoryMegabytes = 1 })
    {
    }

    [BusFact]
    public void A_slice_is_filled_in_place()
    {
        var loopback = new BulkLoopback { ControlHandler = urb => { urb.CompleteWith([1, 2, 3, 4]); return true; } };
        using UsbDeviceHandle handle = Open(loopback);
        byte[] memory = new byte[2048];

        Array.Fill(memory, Untouched);
        Assert.Equal(4, handle.ControlRead(new UsbControlSetup(0xc0, 1, 0, 0), memory.AsSpan(100, 4), Patience));
        AssertOnly(memory, 100, [1, 2, 3, 4]);

        Array.Fill(memory, Untouched);
        handle.At(BulkLoopback.OutAddress).Write([5, 6, 7], Patience);
        Assert.Equal(3, handle.At(BulkLoopback.InAddress).Read(memory.AsSpan(1024, 512), Patience));
        AssertOnly(memory, 1024, [5, 6, 7]);

        Array.Fill(memory, Untouched);
        handle.At(BulkLoopback.OutAddress).Write([8, 9], Patience);
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulkPinned(BulkLoopback.InAddress, memory.AsMemory(7, 512));
        transfer.Submit();
        Finish(transfer);
        AssertOnly(memory, 7, [8, 9]);

        Array.Fill(memory, Untouched);
        transfer.SetControlPinned(new UsbControlSetup(0xc0, 1, 2, 3), memory.AsMemory(50, UsbControlSetup.Size + 4));
        transfer.Submit();
        Finish(transfer);
        AssertOnly(memory, 50, [0xc0, 1, 2, 0, 3, 0, 4, 0, 1, 2, 3, 4]);
    }

    [BusFact]
    public void A_slice_is_sent_in_place()
    {
        var arrived = new List<byte[]>();
        var loopback = new BulkLoopback();
        loopback.ControlHandler = urb =>
        {
            arrived.Add(urb.Buffer[..urb.Length].ToArray());
            urb.Accept();
            return true;
        };
        using UsbDeviceHandle handle = Open(loopback);
        byte[] memory = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        byte[] echo = new byte[512];

        handle.ControlWrite(new UsbControlSetup(0x40, 1, 0, 0), memory.AsSpan(10, 3), Patience);
        handle.At(BulkLoopback.OutAddress).Write(memory.AsSpan(20, 4), Patience);
        arrived.Add(echo[..handle.At(BulkLoopback.InAddress).Read(echo, Patience)]);
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulkPinned(BulkLoopback.OutAddress, memory.AsMemory(30, 5));
        transfer.Submit();
        Finish(transfer);
        arrived.Add(echo[..handle.At(BulkLoopback.InAddress).Read(echo, Patience)]);
        transfer.SetControlPinned(new UsbControlSetup(0x40, 1, 0, 0), memory.AsMemory(40, UsbControlSetup.Size + 2));
        transfer.Submit();
        Finish(transfer);
        Assert.Equal(["10 11 12", "20 21 22 23", "30 31 32 33 34", "48 49"], arrived.Select(one => string.Join(' ', one)));
    }

    [BusFact]
    public unsafe void A_transfer_uses_the_callers_memory_without_a_copy()
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        byte[] memory = GC.AllocateArray<byte>(1024, pinned: true);
        byte* start = (byte*)Unsafe.AsPointer(ref memory[0]);
        using UsbTransfer transfer = handle.CreateTransfer(isoPackets: 4);
        (string Kind, int Offset, Action Configure)[] kinds =
        [
            ("bulk", 3, () => transfer.SetBulkPinned(BulkLoopback.OutAddress, memory.AsMemory(3, 100))),
            ("bulk, whole array", 0, () => transfer.SetBulkPinned(BulkLoopback.OutAddress, memory)),
            ("interrupt", 5, () => transfer.SetInterruptPinned(BulkLoopback.InAddress, memory.AsMemory(5, 100))),
            ("interrupt, whole array", 0, () => transfer.SetInterruptPinned(BulkLoopback.InAddress, memory)),
            ("stream", 7, () => transfer.SetBulkStreamPinned(BulkLoopback.InAddress, 1, memory.AsMemory(7, 100))),
            ("stream, whole array", 0, () => transfer.SetBulkStreamPinned(BulkLoopback.InAddress, 1, memory)),
            ("control", 9, () => transfer.SetControlPinned(new UsbControlSetup(0xc0, 1, 0, 0), memory.AsMemory(9, 100))),
            ("isochronous", 11, () => transfer.SetIsochronousPinned(0x81, memory.AsMemory(11, 100))),
            ("isochronous, whole array", 0, () => transfer.SetIsochronousPinned(0x81, memory)),
            ("another buffer", 12, () => transfer.SetBufferPinned(memory.AsMemory(12, 1012))),
            ("another buffer, whole array", 0, () => transfer.SetBufferPinned(memory)),
        ];
        foreach ((string kind, int offset, Action configure) in kinds)
        {
            if (kind.StartsWith("another", StringComparison.Ordinal))
                transfer.SetBulk(BulkLoopback.OutAddress, 8);
            configure();
            Assert.True(transfer.DangerousGetTransfer()->buffer == start + offset, kind);
        }
    }

    [BusTheory]
    [InlineData(UsbTransferType.Bulk)]
    [InlineData(UsbTransferType.Interrupt)]
    public void A_synchronous_transfer_uses_the_callers_memory_without_a_copy(UsbTransferType type)
    {
        // The mapping uses most of the 1 MiB that the kernel allows for all transfers. A transfer in mapped device memory needs no further kernel memory. If
        // the library copied the data, the transfer would exceed the limit, and the kernel would refuse the transfer.
        const int length = 768 << 10;
        var device = new VirtualDevice(new DeviceDescription
        {
            Configurations =
            [
                new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting(
                    new EndpointDescription(0x81, type == UsbTransferType.Bulk ? EndpointKind.Bulk : EndpointKind.Interrupt, 512),
                    new EndpointDescription(0x02, type == UsbTransferType.Bulk ? EndpointKind.Bulk : EndpointKind.Interrupt, 512)))),
            ],
        });
        device.Add(new Always(0x81));
        device.Add(new Always(0x02));
        using UsbDeviceHandle handle = Open(device);
        using UsbBuffer mapped = handle.AllocateBuffer(length, preferDeviceMemory: true);
        Assert.True(mapped.IsDeviceMemory);
        Span<byte> memory = mapped.GetSpan();
        bool bulk = type == UsbTransferType.Bulk;
        Assert.Equal(length, bulk ? handle.At(0x81).Read(memory, Patience) : handle.At(0x81).Read(memory, Patience));
        Assert.Equal(-1, memory.IndexOfAnyExcept((byte)0x81));
        Assert.Equal(length, bulk ? handle.At(0x02).Write(memory, Patience) : handle.At(0x02).Write(memory, Patience));

        byte[] copy = new byte[length];
        Assert.Equal(UsbError.NoMemory, bulk ? handle.At(0x81).TryRead(copy, out _, Patience) : handle.At(0x81).TryRead(copy, out _, Patience));
    }

    [BusFact]
    public void Synchronous_transfers_allocate_nothing()
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        UsbEndpoint output = handle.At(BulkLoopback.OutAddress), input = handle.At(BulkLoopback.InAddress);
        byte[] buffer = new byte[16 << 10];
        long allocated = AllocationMeter.Measure(() =>
        {
            for (int round = 0; round < Rounds.Of(100); round++)
            {
                output.Write(buffer, Patience);
                input.Read(buffer, Patience);
                handle.ControlRead(new UsbControlSetup(0x80, 6, 0x0100, 0), buffer.AsSpan(0, 18), Patience);
            }
        });
        Assert.Equal(0, allocated);
    }

    private static void AssertOnly(byte[] memory, int offset, byte[] expected)
    {
        Assert.Equal(expected, memory.AsSpan(offset, expected.Length).ToArray());
        Assert.Equal(-1, memory.AsSpan(0, offset).IndexOfAnyExcept(Untouched));
        Assert.Equal(-1, memory.AsSpan(offset + expected.Length).IndexOfAnyExcept(Untouched));
    }

    /// <summary>Represents an endpoint that accepts all data of OUT transfers, and fills IN transfers to the requested length.</summary>
    private sealed class Always(byte address) : VirtualEndpoint(address)
    {
        protected override void OnSubmit(VirtualUrb urb)
        {
            if (IsIn)
                urb.Buffer.Fill(Address);
            urb.Complete(urb.Length);
        }
    }
}
