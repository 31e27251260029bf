namespace Native.LibUsb.Testing;

// This part of the class injects faults into URBs. It injects some faults before the model receives a URB, and others after the model has answered the URB.
public partial class VirtualEndpoint
{
    private FrameTimer? _lateTimer;
    private VirtualUrb? _overtaken; // an answered URB that is completed after the next one
    private byte[] _last = [];
    private int _lastLength = -1;
    private bool _advancing;
    private bool _isBroken; // one URB of a divided transfer has failed: its later URBs are refused

    /// <summary>
    /// Gets the number of times that the host has tried to submit a URB to this endpoint, including refused attempts. Attempts are counted only if the device
    /// has a fault plan and the host requests permission for each submission.
    /// </summary>
    internal long Attempts { get; set; }

    /// <summary>Gets whether URBs wait in the endpoint until the URBs before them have been answered.</summary>
    private bool Queues => this is not IsoEndpoint && Device.Faults is { } plan && plan.Concerns(Address);

    private bool MustQueue(VirtualUrb urb)
    {
        if (!Queues || urb.StreamId != 0)
            return false;
        foreach (VirtualUrb one in _pending)
            if (one != urb && one != _overtaken && one is { IsHeld: false, IsWithheld: false })
                return true;
        return false;
    }

    /// <summary>Passes the waiting URBs to the model, up to the first one that must wait for a URB before it.</summary>
    private void Advance()
    {
        if (_advancing)
            return;
        _advancing = true;
        try
        {
            while (NextQueued() is { } urb)
                Pass(urb);
        }
        finally
        {
            _advancing = false;
        }
    }

    private VirtualUrb? NextQueued()
    {
        foreach (VirtualUrb urb in _pending)
        {
            if (urb.IsQueued)
                return urb;
            if (urb != _overtaken && urb is { IsHeld: false, IsWithheld: false })
                return null;
        }

        return null;
    }

    /// <summary>Applies a fault to a URB that the model has not received. The caller holds the lock.</summary>
    private void Begin(VirtualUrb urb, FaultRule rule)
    {
        switch (rule.Kind)
        {
            case FaultKind.Never:
                urb.IsWithheld = true;
                Record(urb, rule, default);
                return;
            case FaultKind.Status when rule.Length == 0 || urb.PacketCount > 0:
                IsHalted |= rule.Status == UrbStatus.Stall && Address != 0;
                foreach (ref IsoPacket packet in urb.Packets)
                    packet.Status = rule.Status;
                Record(urb, rule, rule.Status);
                GiveBack(urb, rule.Status);
                return;
            case FaultKind.Duplicate when urb.IsIn && _lastLength >= 0 && urb.PacketCount == 0:
                int length = Math.Min(_lastLength, urb.Length);
                _last.AsSpan(0, length).CopyTo(urb.Buffer);
                urb.ActualLength = length;
                Record(urb, rule, UrbStatus.Success, repeated: length);
                GiveBack(urb, UrbStatus.Success);
                return;
            case FaultKind.Unplug when rule.Moment == FaultMoment.Arrival:
                urb.IsWithheld = true;
                Record(urb, rule, UrbStatus.Shutdown);
                Device.PullPlug();
                return;
            case FaultKind.Reset when rule.Moment == FaultMoment.Arrival:
                urb.IsWithheld = true;
                Record(urb, rule, UrbStatus.Shutdown);
                Device.Reset();
                return;
            case FaultKind.Status when urb.PacketCount == 0:
            case FaultKind.ShortPacket or FaultKind.Babble when urb is { IsIn: true, PacketCount: 0 }:
                urb.Fault = rule;
                urb.AskedLength = urb.Length;
                if (!urb.IsIn)
                    urb.Length = Math.Min(urb.Length, rule.Length); // the device accepts only this many bytes
                break;
            case FaultKind.Late or FaultKind.Reorder or FaultKind.Unplug or FaultKind.Reset:
            case FaultKind.Duplicate when !urb.IsIn && urb.PacketCount == 0:
                urb.Fault = rule;
                break;
        }

        OnSubmit(urb);
    }

    /// <summary>Handles the model's answer to a URB. If a rule specifies a fault for the URB, the method applies the fault to the answer. The caller holds the
    /// lock.</summary>
    /// <returns>True if the caller must complete the URB. False if the method has completed the URB, or if the endpoint completes the URB later.</returns>
    internal bool Alter(VirtualUrb urb, ref UrbStatus status)
    {
        if (Device.IsPluggedOut)
            return Keep(urb, status);
        FaultRule? rule = urb.Fault;
        urb.Fault = null;
        int answered = urb.ActualLength;
        switch (rule?.Kind)
        {
            case FaultKind.Status:
            case FaultKind.ShortPacket:
            case FaultKind.Babble:
                int kept = rule.Kind == FaultKind.Babble && rule.Length == 0 ? answered : Math.Min(answered, rule.Length);
                urb.ActualLength = kept;
                if (rule.Kind != FaultKind.ShortPacket)
                    status = rule.Kind == FaultKind.Babble ? UrbStatus.Overflow : rule.Status;
                IsHalted |= status == UrbStatus.Stall && Address != 0;
                Record(urb, rule, status, lost: urb.IsIn ? answered - kept : 0);
                break;
            case FaultKind.Duplicate:
                Record(urb, rule, status, repeated: answered);
                urb.ActualLength = 0;
                OnSubmit(urb);
                return false;
            case FaultKind.Late:
                Record(urb, rule, status);
                SetTimer(rule.Delay);
                return Keep(urb, status);
            case FaultKind.Reorder when _overtaken is null:
                Record(urb, rule, status);
                SetTimer(rule.Delay);
                _overtaken = urb;
                _ = Keep(urb, status);
                Advance();
                return false;
            case FaultKind.Unplug:
            case FaultKind.Reset:
                Record(urb, rule, status);
                Device.Finish(urb, status);
                if (rule.Kind == FaultKind.Unplug)
                    Device.PullPlug();
                else
                    Device.Reset();
                return false;
        }

        if (_overtaken is null && _pending.Exists(static one => one.IsAnswered))
            return Keep(urb, status); // a late URB must be completed first
        Remember(urb, status);
        if (_overtaken is not { } overtaken)
            return true;
        _overtaken = null;
        Device.Finish(urb, status);
        if (overtaken.IsInFlight)
            Device.Finish(overtaken, overtaken.Answer);
        return false;
    }

    /// <summary>Records a fault at an attempt to submit a URB, before the URB exists. The caller holds the lock.</summary>
    internal void RecordAttempt(FaultRule rule, long attempt, int length) => Device.Faults?.Record(new InjectedFault
    {
        Endpoint = Address,
        Urb = attempt,
        Packet = -1,
        Kind = rule.Kind,
        Error = rule.Kind == FaultKind.Refuse ? rule.Error : 0,
        Length = length,
    });

    /// <summary>Handles the failure of a URB. As in the kernel, the later URBs of the same transfer end with <see cref="UrbStatus.Unlinked"/>, and the
    /// endpoint accepts no further URBs of this transfer. The caller holds the lock.</summary>
    /// <param name="behind">The position of the first pending URB after the failed URB.</param>
    private void BreakTransfer(int behind)
    {
        while (behind < _pending.Count && _pending[behind].IsContinuation)
            Take(_pending[behind], UrbStatus.Unlinked);
        _isBroken = behind == _pending.Count;
    }

    private static bool Keep(VirtualUrb urb, UrbStatus status)
    {
        urb.IsAnswered = true;
        urb.Answer = status;
        return false;
    }

    private void Remember(VirtualUrb urb, UrbStatus status)
    {
        if (!urb.IsIn || urb.PacketCount > 0 || status != UrbStatus.Success || Device.Faults?.Has(FaultKind.Duplicate, Address) != true)
            return;
        if (_last.Length < urb.ActualLength)
            _last = new byte[urb.ActualLength];
        urb.Buffer[..urb.ActualLength].CopyTo(_last);
        _lastLength = urb.ActualLength;
    }

    private void SetTimer(TimeSpan delay)
    {
        _lateTimer ??= new FrameTimer(GiveBackLate);
        FrameClock.Set(_lateTimer, FrameClock.Now + (long)(delay.TotalSeconds * FrameClock.MicroframesPerSecond));
    }

    private void GiveBackLate()
    {
        lock (Device.SyncRoot)
        {
            if (Device.IsPluggedOut)
                return;
            _overtaken = null;
            while (_pending.Find(static one => one.IsAnswered) is { } urb)
                Device.Finish(urb, urb.Answer);
        }
    }

    private void Record(VirtualUrb urb, FaultRule rule, UrbStatus status, int lost = 0, int repeated = 0) => Device.Faults?.Record(new InjectedFault
    {
        Endpoint = Address,
        Urb = urb.Number,
        Packet = -1,
        Kind = rule.Kind,
        Status = status,
        Length = Math.Max(urb.Length, urb.AskedLength),
        Moved = urb.ActualLength,
        Lost = lost,
        Repeated = repeated,
    });
}
