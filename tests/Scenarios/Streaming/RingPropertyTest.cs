using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Represents what the tests share that drive a ring at random beside a model of it. The device keeps every transfer until the test ends it, and events are
/// handled by the test, so that each step has one outcome.
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

    /// <summary>Gets the ring of the present.</summary>
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
        Steps.Same(0, ring.GetStatistics().Armed, "in flight after it was disposed");
    }

    /// <summary>Handles events until something holds.</summary>
    protected void Await(Func<bool> condition)
    {
        long end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (!condition())
        {
            if (Environment.TickCount64 > end)
                Steps.Fail($"waited in vain; the ring has {Ring.GetStatistics()}");
            Context.HandleEvents(TimeSpan.FromMilliseconds(1));
        }
    }

    /// <summary>Waits until what was submitted is with the device.</summary>
    protected void AwaitPending(int count)
    {
        if (!Endpoint.WaitForPending(count, Patience) || Endpoint.Pending.Count != count)
            Steps.Fail($"the device has {Endpoint.Pending.Count} transfers, not {count}");
    }
}
