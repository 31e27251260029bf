using Native.LibUsb.Testing;
using Native.LibUsb.Tests.Lifetimes;

#pragma warning disable CA2012 // the calls fail immediately

namespace Native.LibUsb.Tests.Transfers;

/// <summary>
/// Tests calls during which the caller's <see cref="System.Buffers.MemoryManager{T}"/> throws an exception. The call must throw this exception and must not
/// lose a transfer. Also tests empty memory whose address is null, and endpoint addresses in which reserved bits are set.
/// </summary>
public sealed class CallersMemoryFailureTests : ClosingTest
{
    private readonly CountedMemory _memory = new(LifetimeDevice.PacketLength);

    [BusFact]
    public void Memory_that_cannot_be_pinned_costs_no_transfer()
    {
        var failure = new ObjectDisposedException("The memory");
        _memory.Pinning = () => throw failure;
        UsbEndpoint input = Interface.GetEndpoint(LifetimeDevice.BulkAddress), output = Interface.GetEndpoint(LifetimeDevice.ErrandAddress);
        Assert.Same(failure, Record.Exception(() => { _ = input.ReadAsync(_memory.Memory); }));
        Assert.Same(failure, Record.Exception(() => { _ = output.WriteAsync(_memory.Memory); }));
        CountingAllocator.Counts before = CountingAllocator.Read();
        for (int round = 0; round < 20; round++)
        {
            Assert.Same(failure, Record.Exception(() => { _ = input.ReadAsync(_memory.Memory); }));
            Assert.Same(failure, Record.Exception(() => { _ = output.WriteAsync(_memory.Memory); }));
        }

        Assert.Equal(before.LiveTransfers, CountingAllocator.Read().LiveTransfers);
    }

    [BusFact]
    public void Data_that_cannot_be_read_costs_no_transfer()
    {
        ReadOnlyMemory<byte> data = _memory.Memory;
        var failure = new ObjectDisposedException("The memory");
        _memory.SpanFailure = failure;
        var request = new UsbControlSetup(0x40, 1, 0, 0);
        Assert.Same(failure, Record.Exception(() => { _ = Handle.ControlWriteAsync(request, data); }));
        CountingAllocator.Counts before = CountingAllocator.Read();
        for (int round = 0; round < 20; round++)
            Assert.Same(failure, Record.Exception(() => { _ = Handle.ControlWriteAsync(request, data); }));
        Assert.Equal(before.LiveTransfers, CountingAllocator.Read().LiveTransfers);
    }

    [BusFact]
    public void In_a_callback_disposed_memory_is_not_mistaken_for_a_closing_object()
    {
        ReadOnlyMemory<byte> data = _memory.Memory;
        var failure = new ObjectDisposedException("The memory");
        UsbEndpoint endpoint = Interface.GetEndpoint(LifetimeDevice.BulkAddress);
        var seen = new List<Exception?>();
        using UsbTransfer transfer = Handle.CreateTransfer();
        transfer.SetBulk(LifetimeDevice.ErrandAddress, 0, ended =>
        {
            _memory.Pinning = () => throw failure;
            seen.Add(Record.Exception(() => { _ = endpoint.ReadAsync(_memory.Memory); }));
            _memory.SpanFailure = failure;
            seen.Add(Record.Exception(() => { _ = Handle.ControlWriteAsync(new UsbControlSetup(0x40, 1, 0, 0), data); }));
        });
        transfer.Submit();
        HandleEventsUntil(() => seen.Count == 2);
        Assert.All(seen, one => Assert.Same(failure, one));
    }

    [BusFact]
    public void Empty_memory_without_an_address_is_unpinned()
    {
        var memory = new AddresslessMemory();
        using IDisposable owner = memory;
        Context.StartEventThread();
        Task<int> writing = Interface.GetEndpoint(LifetimeDevice.ErrandAddress).WriteAsync(memory.Memory).AsTask();
        Assert.True(writing.Wait(Patience));
        Assert.Equal(1, memory.Unpinned);
    }

    [BusTheory]
    [InlineData(0x91)]
    [InlineData(0xff)]
    [InlineData(0x71)]
    [InlineData(0x10)]
    public async Task An_address_that_no_endpoint_can_have_fails_alike_in_every_call(byte address)
    {
        // This configuration has one interface with one bulk endpoint.
        byte[] configuration = [9, 2, 25, 0, 1, 1, 0, 0x80, 50, 9, 4, 0, 0, 1, 0xff, 0, 0, 0, 7, 5, address, 2, 0, 2, 0];
        UsbDeviceHandle handle = Open(new VirtualDevice(new DeviceDescription
        {
            VendorId = LifetimeDevice.Vendor,
            ProductId = 0x7777,
            Configurations = [ConfigurationDescription.Raw(configuration)],
        }));
        UsbEndpoint endpoint = Assert.Single(handle.ClaimInterface(0).Endpoints);
        byte[] memory = new byte[64];
        UsbException now, awaited;
        if (endpoint.Direction == UsbDirection.In)
        {
            now = Assert.Throws<UsbException>(() => endpoint.Read(memory, Patience));
            awaited = await Assert.ThrowsAsync<UsbException>(async () => await endpoint.ReadAsync(memory));
            Assert.Equal(UsbError.InvalidParameter, endpoint.TryRead(memory, out _, Patience));
        }
        else
        {
            now = Assert.Throws<UsbException>(() => endpoint.Write(memory, Patience));
            awaited = await Assert.ThrowsAsync<UsbException>(async () => await endpoint.WriteAsync(memory));
            Assert.Equal(UsbError.InvalidParameter, endpoint.TryWrite(memory, out _, Patience));
        }

        Assert.Equal(UsbError.InvalidParameter, now.Error);
        Assert.Contains($"0x{address:x2}", now.Message, StringComparison.Ordinal);
        Assert.Contains("reserved", now.Message, StringComparison.Ordinal);
        Assert.Equal(now.Message, awaited.Message);
        Assert.Equal(now.Error, awaited.Error);
    }

    /// <summary>Represents empty memory whose address is null.</summary>
    private sealed unsafe class AddresslessMemory : System.Buffers.MemoryManager<byte>
    {
        private int _unpinned;

        public int Unpinned => Volatile.Read(ref _unpinned);

        public override Span<byte> GetSpan() => default;

        public override System.Buffers.MemoryHandle Pin(int elementIndex = 0) => new(null, pinnable: this);

        public override void Unpin() => Interlocked.Increment(ref _unpinned);

        protected override void Dispose(bool disposing)
        {
        }
    }
}
