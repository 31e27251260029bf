using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Represents the base of the tests that perform random steps and compare a ring with its model after each step. The device keeps every transfer until the test
/// completes the transfer. The test itself handles the events, so each step has only one possible outcome.
/// </summary>
public abstract class RingPropertyTest : BusTest
{
    protected const int Size = 512;

    private readonly byte _address;

    protected RingPropertyTest(byte address)
    {
        _address = address;
        Steps = new RandomSteps(GetType().Name, Rounds.Of(100_000));
        PlugIn();
    }

    protected RandomSteps Steps { get; }

    protected BulkLoopback Device { get; private set; } = null!;

    protected VirtualEndpoint Endpoint { get; private set; } = null!;

    protected UsbDeviceHandle Handle { get; private set; } = null!;

    /// <summary>Gets the ring under test. After the test has disposed a ring, this property returns a new ring.</summary>
    protected abstract UsbRing Ring { get; }

    protected void Run(Action step)
    {
        for (int i = 0; i < Steps.Steps; i++)
        {
            Steps.Step = i;
            step();
        }

        Dispose(Ring);
    }

    protected void PlugIn()
    {
        Device = new BulkLoopback();
        Endpoint = Device.Endpoint(_address);
        Endpoint.Hold();
        Handle = Open(Device);
    }

    protected UsbEndpointDescriptor Descriptor() => RingTest.Endpoint(Handle, _address);

    protected void Dispose(UsbRing ring)
    {
        ring.Dispose();
        Await(() => ring.Completion.IsCompleted);
        Steps.Same(0, ring.GetStatistics().InFlight, "transfers in flight after the ring was disposed");
    }

    /// <summary>Handles events until a condition is true.</summary>
    protected void Await(Func<bool> condition)
    {
        long end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (!condition())
        {
            if (Environment.TickCount64 > end)
                Steps.Fail($"the condition did not become true; the ring has {Ring.GetStatistics()}");
            Context.HandleEvents(TimeSpan.FromMilliseconds(1));
        }
    }

    /// <summary>Waits until the device has the expected number of transfers.</summary>
    protected void AwaitPending(int count)
    {
        if (!Endpoint.WaitForPending(count, Patience) || Endpoint.Pending.Count != count)
            Steps.Fail($"the device has {Endpoint.Pending.Count} transfers, not {count}");
    }
}
