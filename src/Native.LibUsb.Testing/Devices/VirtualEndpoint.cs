namespace Native.LibUsb.Testing;

/// <summary>Represents an endpoint of a virtual device. The endpoint handles the transfers that the host submits to it.</summary>
/// <remarks>
/// The base class keeps every URB pending until a thread completes it, so a test can complete URBs itself. A model overrides <see cref="OnSubmit"/>. The
/// overridable methods are called with <see cref="VirtualDevice.SyncRoot"/> held.
/// </remarks>
public partial class VirtualEndpoint
{
    private readonly List<VirtualUrb> _pending = [];
    private readonly Queue<FaultRule> _failures = [];
    private VirtualDevice? _device;
    private bool _holding;

    /// <summary>Initializes a new instance of the <see cref="VirtualEndpoint"/> class.</summary>
    /// <param name="address">The endpoint address; bit 7 is set for IN.</param>
    public VirtualEndpoint(byte address)
    {
        Address = address;
    }

    /// <summary>Gets the endpoint address; bit 7 is set for IN.</summary>
    public byte Address { get; }

    /// <summary>Gets whether the endpoint is an IN endpoint.</summary>
    public bool IsIn => (Address & 0x80) != 0;

    /// <summary>Gets the device to which the endpoint belongs.</summary>
    public VirtualDevice Device
    {
        get => _device ?? throw new InvalidOperationException($"Endpoint 0x{Address:x2} has not been added to a device.");
        internal set => _device = value;
    }

    /// <summary>Gets the endpoint's descriptor in the active setting. Null if the active setting does not contain the endpoint.</summary>
    public EndpointDescription? Description { get; internal set; }

    /// <summary>Gets whether the endpoint is halted. A stall halts it until the host clears the halt.</summary>
    public bool IsHalted { get; private set; }

    /// <summary>Gets whether the endpoint holds submitted URBs before the model receives them.</summary>
    public bool IsHolding => _holding;

    /// <summary>Gets the number of URBs that have been submitted since the device was created.</summary>
    public long Submitted { get; private set; }

    /// <summary>Gets the number of URBs that have been completed, with any result.</summary>
    public long Completed { get; private set; }

    /// <summary>Gets the number of URBs that the host unlinked before they were complete.</summary>
    public long Unlinked { get; private set; }

    /// <summary>Gets the number of bytes that all completed URBs have transferred.</summary>
    public long Bytes { get; private set; }

    /// <summary>Gets the number of streams that the host has allocated on the endpoint, or 0 if there are none.</summary>
    public int Streams { get; internal set; }

    /// <summary>Gets a snapshot of the URBs that the device has not completed yet, oldest first.</summary>
    public IReadOnlyList<VirtualUrb> Pending
    {
        get
        {
            lock (Device.SyncRoot)
                return [.. _pending];
        }
    }

    /// <summary>Holds all URBs that are submitted from now on. The model does not receive them until they are released.</summary>
    public void Hold()
    {
        lock (Device.SyncRoot)
            _holding = true;
    }

    /// <summary>Ends <see cref="Hold"/> and passes all held URBs to the model, oldest first.</summary>
    public void Resume()
    {
        lock (Device.SyncRoot)
        {
            _holding = false;
            while (_pending.Find(u => u.IsHeld) is { } urb)
            {
                Unpark(urb);
                if (MustQueue(urb))
                    urb.IsQueued = true;
                else
                    Pass(urb);
            }
        }
    }

    /// <summary>Passes one held URB to the model and continues to hold the other URBs.</summary>
    /// <param name="index">The index of the held URB; 0 is the oldest. With a higher index, the model receives this URB before the older URBs.</param>
    /// <returns>False if the endpoint holds no URB with this index.</returns>
    public bool Release(int index = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        lock (Device.SyncRoot)
        {
            foreach (VirtualUrb urb in _pending)
                if (urb.IsHeld && index-- == 0)
                {
                    Pass(urb);
                    return true;
                }
            return false;
        }
    }

    /// <summary>Halts the endpoint. All pending URBs and all further URBs fail with a stall until the host clears the halt.</summary>
    public void Halt()
    {
        lock (Device.SyncRoot)
        {
            IsHalted = true;
            TakeAll(UrbStatus.Stall); // this includes the URBs of the model, which must not complete them later
        }
    }

    /// <summary>Makes one URB fail: the next URB that would otherwise reach the model. Each further call makes one more URB fail.</summary>
    /// <remarks>See <see cref="VirtualDevice.Faults"/> for other kinds of faults and for rules that select URBs.</remarks>
    /// <param name="status">The URB's final status. A stall also halts the endpoint.</param>
    /// <param name="actualLength">
    /// The maximum number of bytes that the URB transfers. If the maximum is 0, the URB fails immediately. Otherwise, the URB first waits for the device's
    /// answer, and the bytes of the answer beyond this length are lost. Isochronous URBs always fail immediately.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The length is negative.</exception>
    /// <exception cref="ArgumentException">The status is <see cref="UrbStatus.Success"/>.</exception>
    public void FailNext(UrbStatus status, int actualLength = 0)
    {
        var rule = new FaultRule(FaultKind.Status) { Status = status, Length = actualLength };
        rule.Check();
        lock (Device.SyncRoot)
            _failures.Enqueue(rule);
    }

    /// <summary>Waits until <see cref="Submitted"/> is at least <paramref name="count"/>.</summary>
    /// <returns>False if the timeout has expired.</returns>
    public bool WaitForSubmitted(long count, TimeSpan timeout) => Device.WaitUntil(() => Submitted >= count, timeout);

    /// <summary>Waits until at least <paramref name="count"/> URBs are pending.</summary>
    /// <returns>False if the timeout has expired.</returns>
    public bool WaitForPending(int count, TimeSpan timeout) => Device.WaitUntil(() => _pending.Count >= count, timeout);

    /// <summary>Waits until <see cref="Completed"/> is at least <paramref name="count"/>.</summary>
    /// <returns>False if the timeout has expired.</returns>
    public bool WaitForCompleted(long count, TimeSpan timeout) => Device.WaitUntil(() => Completed >= count, timeout);

    /// <summary>Gets the oldest URB that the model has received but not answered yet. Null if there is no such URB. The caller holds the lock.</summary>
    protected VirtualUrb? First
    {
        get
        {
            foreach (VirtualUrb urb in _pending)
                if (urb.IsWithModel)
                    return urb;
            return null;
        }
    }

    /// <summary>Handles the arrival of a URB. A model completes the URB immediately or later. The base class leaves the URB pending.</summary>
    protected virtual void OnSubmit(VirtualUrb urb)
    {
    }

    /// <summary>Handles the cancellation of a URB. A URB is cancelled when the host unlinks it, and when the device is unplugged. After this method has
    /// returned, the endpoint completes the URB with its current <see cref="VirtualUrb.ActualLength"/>. A model overrides this method to update the
    /// length.</summary>
    protected virtual void OnUnlink(VirtualUrb urb)
    {
    }

    /// <summary>Handles a restart of the endpoint, after its setting was selected or the device was configured or reset.</summary>
    protected virtual void OnReset()
    {
    }

    /// <summary>Handles the end of a halt, after the host has cleared it.</summary>
    protected virtual void OnHaltCleared()
    {
    }

    internal void Receive(VirtualUrb urb)
    {
        urb.Number = Submitted++;
        _pending.Add(urb);
        _isBroken &= urb.IsContinuation;
        if (_isBroken)
            GiveBack(urb, UrbStatus.Unlinked);
        else if (_holding)
            urb.IsHeld = true;
        else if (MustQueue(urb))
            urb.IsQueued = true;
        else
            Pass(urb);
        Device.Announce();
    }

    private static void Unpark(VirtualUrb urb)
    {
        urb.IsHeld = false;
        urb.Microframe = FrameClock.Now; // for the model, the URB arrives at this moment
    }

    private void Pass(VirtualUrb urb)
    {
        if (urb.IsHeld)
            Unpark(urb);
        urb.IsQueued = false;
        if (Device.IsPluggedOut)
            urb.IsWithheld = true;
        else if (IsHalted)
            GiveBack(urb, UrbStatus.Stall);
        else if (_failures.TryDequeue(out FaultRule? failure))
            Begin(urb, failure);
        else if (Device.Faults?.Find(Address, urb.Number) is { } rule)
            Begin(urb, rule);
        else
            OnSubmit(urb);
    }

    internal void GiveBack(VirtualUrb urb, UrbStatus status) => Device.Finish(urb, status);

    /// <summary>Removes a URB from the endpoint when the URB is completed. The caller holds the lock.</summary>
    internal void Leave(VirtualUrb urb, UrbStatus status)
    {
        _pending.Remove(urb);
        if (urb == _overtaken)
            _overtaken = null;
        Completed++;
        if (status == UrbStatus.Unlinked)
            Unlinked++;
        Bytes += urb.ActualLength;
    }

    /// <summary>Handles the URBs that follow a completed URB in the queue. If the completed URB failed, the method ends the later URBs of the same transfer. If
    /// URBs were waiting for this completion, the method then passes them to the model. The caller holds the lock.</summary>
    /// <param name="place">The position that the completed URB had among the pending URBs.</param>
    /// <param name="status">The status of the completed URB.</param>
    internal void Follow(int place, UrbStatus status)
    {
        if (place >= 0 && status is not (UrbStatus.Success or UrbStatus.Unlinked or UrbStatus.Shutdown))
            BreakTransfer(place);
        if (_pending.Count > 0)
            Advance();
    }

    internal int PlaceOf(VirtualUrb urb) => _pending.IndexOf(urb);

    internal void Take(VirtualUrb urb, UrbStatus status)
    {
        if (urb.IsWithModel)
            OnUnlink(urb);
        if (urb.IsInFlight)
            GiveBack(urb, status);
    }

    internal void TakeAll(UrbStatus status, Connection? of = null)
    {
        bool advancing = _advancing;
        _advancing = true; // prevents Advance from passing waiting URBs to the model before they are removed
        for (int i = 0; i < _pending.Count;)
        {
            if (of is not null && _pending[i].Connection != of)
            {
                i++;
                continue;
            }

            Take(_pending[i], status);
            i = 0; // other URBs may have been completed in the same call
        }

        _advancing = advancing;
        if (_pending.Count > 0)
            Advance();
    }

    internal void Reset()
    {
        IsHalted = _isBroken = false;
        Streams = 0;
        OnReset();
    }

    internal void ClearHalt()
    {
        IsHalted = false;
        OnHaltCleared();
    }

    internal void SetHalt() => IsHalted = true;
}
