using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

#pragma warning disable CA2012 // calls that throw immediately are not awaited

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests that an endpoint refuses a read while a ring runs on the endpoint. Such a read would remove data from the ring's stream.</summary>
public sealed class ReadBesideRingTests : BusTest
{
    [BusFact]
    public async Task A_read_beside_a_running_ring_is_refused()
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        UsbEndpoint input = handle.At(BulkLoopback.InAddress), output = handle.At(BulkLoopback.OutAddress);
        byte[] buffer = new byte[512];
        using (UsbInputRing ring = input.CreateInputRing(new UsbRingOptions { TransferSize = 512 }))
        {
            output.Write([1], Patience);
            Assert.Equal(1, input.Read(buffer, Patience)); // the ring is not running yet
            ring.Start();
            Assert.Contains("A ring reads from endpoint 0x82", Assert.Throws<InvalidOperationException>(() => input.Read(buffer, Patience)).Message, StringComparison.Ordinal);
            Assert.Throws<InvalidOperationException>(() => input.TryRead(buffer, out _, Patience));
            Assert.Throws<InvalidOperationException>(() => { _ = input.ReadAsync(buffer); });
            output.Write([2], Patience); // the OUT endpoint has no ring
            await ring.StopAsync();
            output.Write([3], Patience);
            Assert.Equal(3, buffer[input.Read(buffer, Patience) - 1]);
        }

        output.Write([4, 5], Patience);
        Assert.Equal(2, await input.ReadAsync(buffer));
    }
}
