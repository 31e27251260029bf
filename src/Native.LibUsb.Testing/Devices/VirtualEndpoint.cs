namespace Native.LibUsb.Testing;

/// <summary>Represents an endpoint of a virtual device: what it does with the transfers that the host submits.</summary>
/// <remarks>
/// The base class keeps every URB pending until a thread completes it, so a test can play the device by hand. A model overrides
/// <see cref="OnSubmit"/>. All of its members are called with <see cref="VirtualDevice.SyncRoot"/> held.
/// </remarks>
public partial class VirtualEndpoint
{
    private readonly List<VirtualUrb> _pending = [];
    private readonly Queue<FaultRule> _failures = [];
    private VirtualDevice? _device;
    private bool _holding;

    /// <summary>Makes an endpoint.</summary>
    /// <param name="address">Its address; bit 7 set for IN.</param>
    public VirtualEndpoint(byte address)
    {
        Address = address;
    }

    /// <summary>Gets the endpoint address; bit 7 set for IN.</summary>
    public byte Address { get; }

    /// <summary>Gets whether it is an IN endpoint.</summary>
    public bool IsIn => (Address & 0x80) != 0;

    /// <summary>Gets the device it belongs to.</summary>
    public VirtualDevice Device
    {
        get => _device ?? throw new InvalidOperationException($"Endpoint 0x{Address:x2} has not been added to a device.");
        internal set => _device = value;
    }

    /// <summary>Gets its descriptor in the setting that is active now; null when the active setting does not have it.</summary>
    public EndpointDescription? Description { get; internal set; }

    /// <summary>Gets a value that is true after a stall, until the host clears it.</summary>
    public bool IsHalted { get; private set; }

    /// <summary>Gets a value that is true while submitted URBs are parked before the model sees them.</summary>
    public bool IsHolding => _holding;

    /// <summary>Gets the number of URBs that have been submitted since the device was made.</summary>
    public long Submitted { get; private set; }

    /// <summary>Gets the number of URBs that have been given back, for any reason.</summary>
    public long Completed { get; private set; }

    /// <summary>Gets the number of URBs that the host unlinked before they were done.</summary>
    public long Unlinked { get; private set; }

    /// <summary>Gets the bytes of all URBs that have been given back.</summary>
    public long Bytes { get; private set; }

    /// <summary>Gets the streams that the host has allocated on it; 0 for none.</summary>
    public int Streams { get; internal set; }

    /// <summary>Gets the number of URBs that are with the device now, oldest first. A snapshot.</summary>
    public IReadOnlyList<VirtualUrb> Pending
    {
        get
        {
            lock (Device.SyncRoot)
                return [.. _pending];
        }
    }

    /// <summary>Parks URBs that are submitted from now on: the model does not see them until they are released.</summary>
    public void Hold()
    {
        lock (Device.SyncRoot)
            _holding = true;
    }

    /// <summary>Ends <see cref="Hold"/> and lets the model have everything that was parked, oldest first.</summary>
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

    /// <summary>Lets the model have one parked URB and keeps holding the others.</summary>
    /// <param name="index">Which of the parked ones; 0 is the oldest. Others than 0 change the order of completion.</param>
    /// <returns>False when there are not that many.</returns>
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

    /// <summary>Halts the endpoint: everything pending and everything submitted ends in a stall until the host clears it.</summary>
    public void Halt()
    {
        lock (Device.SyncRoot)
        {
            IsHalted = true;
            TakeAll(UrbStatus.Stall); // from the model too: it must not complete them later
        }
    }

    /// <summary>Makes the next URB that the model would see fail. A second call concerns the URB after it, and so on.</summary>
    /// <remarks>See <see cref="VirtualDevice.Faults"/> for more kinds of faults, and for faults by rule.</remarks>
    /// <param name="status">The status that the URB ends with. A stall halts the endpoint too.</param>
    /// <param name="actualLength">
    /// The number of bytes that the URB moves at most. They are the device's own: with a length the URB waits until the device answers, and what the answer has
    /// beyond the length is lost. With 0 the URB fails immediately. Isochronous URBs fail immediately with any length.
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

    /// <summary>Waits until <see cref="Submitted"/> has reached a number.</summary>
    /// <returns>False when the time is up.</returns>
    public bool WaitForSubmitted(long count, TimeSpan timeout) => Device.WaitUntil(() => Submitted >= count, timeout);

    /// <summary>Waits until at least so many URBs are with the device.</summary>
    /// <returns>False when the time is up.</returns>
    public bool WaitForPending(int count, TimeSpan timeout) => Device.WaitUntil(() => _pending.Count >= count, timeout);

    /// <summary>Waits until <see cref="Completed"/> has reached a number.</summary>
    /// <returns>False when the time is up.</returns>
    public bool WaitForCompleted(long count, TimeSpan timeout) => Device.WaitUntil(() => Completed >= count, timeout);

    /// <summary>Gets the oldest URB that is with the model (not parked, and not answered); null when there is none. Call with the lock held.</summary>
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

    /// <summary>Handles the arrival of a URB. The model completes it now or later; the base class leaves it pending.</summary>
    protected virtual void OnSubmit(VirtualUrb urb)
    {
    }

    /// <summary>Handles the cancellation of a URB by the host (or the device is unplugged). It reports the <see cref="VirtualUrb.ActualLength"/> it has
    /// by then; a model overrides this to settle it.</summary>
    protected virtual void OnUnlink(VirtualUrb urb)
    {
    }

    /// <summary>Starts the endpoint anew: its setting was selected, or the device was configured or reset.</summary>
    protected virtual void OnReset()
    {
    }

    /// <summary>Reacts to the clearing of the halt by the host.</summary>
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
        urb.Microframe = FrameClock.Now; // for the model the URB arrives now
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

    /// <summary>Removes a URB that the device completes from the endpoint. Lock held.</summary>
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

    /// <summary>Gives back the URBs behind one that has been given back. Lock held.</summary>
    /// <param name="place">The place that it had.</param>
    /// <param name="status">How it ended.</param>
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
        _advancing = true; // a URB that waits for those before it is taken too
        for (int i = 0; i < _pending.Count;)
        {
            if (of is not null && _pending[i].Connection != of)
            {
                i++;
                continue;
            }

            Take(_pending[i], status);
            i = 0; // others may have ended with it
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
