using System.Buffers.Binary;
using System.Net.Sockets;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Bus;

/// <summary>Tests the messages that the kernel's vhci_hcd can send to a device.</summary>
public sealed class KernelConnectionTests : IDisposable
{
    private const uint Submit = 1, Unlink = 2, ReturnSubmit = 3, ReturnUnlink = 4;
    private const int Unlinked = -104;

    private readonly Watchdog _watchdog = new();
    private readonly VirtualBus _bus;
    private readonly BulkLoopback _loopback = new();
    private readonly Socket _kernel;

    public KernelConnectionTests()
    {
        _bus = TestBus.CreateFor(this);
        _bus.Attach(_loopback);
        _kernel = new Socket(new SafeSocketHandle(_bus.OpenConnection(_loopback), ownsHandle: true));
    }

    public void Dispose()
    {
        TestBus.Disposed(this);
        _kernel?.Dispose();
        _bus.Dispose();
        _watchdog.Dispose();
    }

    [BusFact]
    public void A_URB_may_come_after_the_request_to_unlink_it()
    {
        Send(Submit, 4, endpoint: 2);
        Send(Unlink, 6, target: 5);
        Send(Submit, 5, endpoint: 2);
        Assert.Equal((ReturnSubmit, 5u, Unlinked), Receive());
        Assert.Equal((ReturnUnlink, 6u, Unlinked), Receive());
        Assert.True(_loopback.Endpoint(BulkLoopback.InAddress).WaitForCompleted(1, TimeSpan.FromSeconds(30)));
        Assert.Single(_loopback.Endpoint(BulkLoopback.InAddress).Pending); // the earlier URB is still pending
    }

    [BusFact]
    public void A_completed_URB_is_not_unlinked()
    {
        Send(Submit, 4, endpoint: 1); // the device has no such endpoint
        Assert.Equal((ReturnSubmit, 4u, -2), Receive());
        Send(Unlink, 5, target: 4);
        Assert.Equal((ReturnUnlink, 5u, 0), Receive());
    }

    /// <summary>Sends the header of a message. If the message submits a URB, the URB requests 512 bytes from the device.</summary>
    private void Send(uint command, uint sequence, uint endpoint = 0, uint target = 0)
    {
        byte[] header = new byte[48];
        bool isSubmit = command == Submit;
        ReadOnlySpan<uint> fields = isSubmit ? [command, sequence, 0, 1, endpoint, 0, 512] : [command, sequence, 0, 0, 0, target];
        for (int i = 0; i < fields.Length; i++)
            BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4 * i), fields[i]);
        Assert.Equal(48, _kernel.Send(header));
    }

    private (uint Command, uint Sequence, int Status) Receive()
    {
        byte[] header = new byte[48];
        for (int received = 0; received < header.Length;)
        {
            int count = _kernel.Receive(header.AsSpan(received));
            Assert.NotEqual(0, count);
            received += count;
        }

        return (BinaryPrimitives.ReadUInt32BigEndian(header), BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4)), BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(20)));
    }
}
