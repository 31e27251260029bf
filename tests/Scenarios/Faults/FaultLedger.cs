using System.Collections.Concurrent;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Faults;

/// <summary>
/// Records the faults that a plan injects into the URBs or the isochronous packets of one endpoint. A fault stays recorded until the test has matched the fault
/// with its effect. Threads of the bus add faults, and other threads remove faults.
/// </summary>
internal sealed class FaultLedger
{
    private readonly ConcurrentDictionary<long, InjectedFault> _urbs = new();
    private readonly ConcurrentDictionary<long, InjectedFault> _packets = new();
    private readonly byte _endpoint;
    private volatile TaskCompletionSource _silence = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _refusals;

    public FaultLedger(FaultPlan plan, byte endpoint)
    {
        _endpoint = endpoint;
        plan.FaultInjected = Add;
    }

    /// <summary>Gets a task that completes when the device leaves a URB unanswered.</summary>
    public Task Silence => _silence.Task;

    /// <summary>Gets the number of submissions that were refused.</summary>
    public long Refusals => Volatile.Read(ref _refusals);

    /// <summary>Gets the number of faults of each kind.</summary>
    public ConcurrentDictionary<FaultKind, int> Kinds { get; } = new();

    /// <summary>Gets the number of bytes that were lost.</summary>
    public long LostBytes { get; private set; }

    /// <summary>Gets the number of bytes that arrived a second time.</summary>
    public long RepeatedBytes { get; private set; }

    /// <summary>Gets the number of faults that the test has not matched.</summary>
    public int Left => _urbs.Count + _packets.Count;

    public void ListenAgain()
    {
        if (_silence.Task.IsCompleted)
            _silence = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Removes and returns the fault that was injected into a URB; null if there is none.</summary>
    public InjectedFault? TakeUrb(long urb) => _urbs.TryRemove(urb, out InjectedFault fault) ? fault : null;

    /// <summary>Removes and returns the fault that was injected into an isochronous packet; null if the packet has no fault.</summary>
    public InjectedFault? TakePacket(long packet) => _packets.TryRemove(packet, out InjectedFault fault) ? fault : null;

    private void Add(InjectedFault fault) // called with the device's lock held
    {
        if (fault.Endpoint != _endpoint)
            return;
        Kinds.AddOrUpdate(fault.Kind, 1, static (_, count) => count + 1);
        LostBytes += fault.Lost;
        RepeatedBytes += fault.Repeated;
        if (fault.Kind == FaultKind.Refuse)
            Interlocked.Increment(ref _refusals);
        else
            (fault.Packet < 0 ? _urbs : _packets)[fault.Packet < 0 ? fault.Urb : fault.Packet] = fault;
        if (fault.Kind == FaultKind.Never)
            _silence.TrySetResult();
    }
}
