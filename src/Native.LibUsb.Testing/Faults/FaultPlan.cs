namespace Native.LibUsb.Testing;

/// <summary>Represents a plan of the faults that a device injects. Rules and a seed select the URBs that have faults. The plan records the injected
/// faults.</summary>
/// <remarks>
/// <para>Assign the plan to <see cref="VirtualDevice.Faults"/> before the device is attached. Rules can be added and removed at any time, from any thread. If
/// several rules apply to a URB, only the first one is used. The selection depends only on the seed, the endpoint and the number of the URB, and not on the
/// scheduling of threads.</para>
/// <para>A device with a plan answers the URBs of an endpoint in their order, as a physical device does. The fault of a URB therefore takes effect only after
/// the URBs before it have been answered. Isochronous endpoints are an exception because they keep their timing. Bulk streams are an exception because their
/// URBs have no order.</para>
/// </remarks>
public sealed class FaultPlan
{
    private readonly Lock _lock = new();
    private readonly List<(FaultRule Rule, int Number)> _rules = [];
    private readonly Dictionary<FaultRule, long> _hits = new(ReferenceEqualityComparer.Instance);
    private readonly List<InjectedFault> _faults = [];
    private volatile (FaultRule Rule, int Number)[] _current = [];
    private int _nextNumber;

    /// <summary>Initializes a new instance of the <see cref="FaultPlan"/> class. The new plan contains no rules.</summary>
    /// <param name="seed">The seed. If a rule has a probability, the seed determines which URBs the rule selects.</param>
    public FaultPlan(int seed = 0)
    {
        Seed = seed;
    }

    /// <summary>Gets the seed of the plan.</summary>
    public int Seed { get; }

    /// <summary>Gets a snapshot of the injected faults, in the order in which they were injected.</summary>
    public IReadOnlyList<InjectedFault> Faults
    {
        get
        {
            lock (_lock)
                return [.. _faults];
        }
    }

    /// <summary>Gets or sets the handler that receives each fault after its injection. The handler is called with the device's lock held, and must not
    /// block.</summary>
    public Action<InjectedFault>? FaultInjected { get; set; }

    /// <summary>Gets or sets the device to which the plan belongs.</summary>
    internal VirtualDevice? Device { get; set; }

    /// <summary>Adds a rule at the end of the plan.</summary>
    /// <returns>This plan.</returns>
    /// <exception cref="ArgumentException">The rule is inconsistent.</exception>
    /// <exception cref="PlatformNotSupportedException">
    /// The rule applies when a URB is submitted. A device on a bus on <see cref="VirtualBusHost.Kernel"/> cannot apply such a rule.
    /// </exception>
    public FaultPlan Add(FaultRule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        rule.Check();
        if (Device?.Bus is { } bus)
            CheckHost(rule, bus.Options.Host);
        lock (_lock)
        {
            _rules.Add((rule, _nextNumber++));
            _current = [.. _rules];
        }

        return this;
    }

    /// <summary>Removes a rule.</summary>
    /// <returns>False if the plan does not contain the rule.</returns>
    public bool Remove(FaultRule rule)
    {
        lock (_lock)
        {
            int removed = _rules.RemoveAll(one => ReferenceEquals(one.Rule, rule));
            _current = [.. _rules];
            return removed > 0;
        }
    }

    /// <summary>Removes all rules. The recorded faults remain.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _rules.Clear();
            _current = [];
        }
    }

    internal void CheckHost(VirtualBusHost host)
    {
        foreach ((FaultRule rule, _) in _current)
            CheckHost(rule, host);
    }

    /// <summary>Determines whether a rule can apply to an endpoint.</summary>
    internal bool Concerns(byte endpoint)
    {
        foreach ((FaultRule rule, _) in _current)
            if (IsFor(rule, endpoint))
                return true;
        return false;
    }

    /// <summary>Determines whether a rule of a given kind can apply to an endpoint.</summary>
    internal bool Has(FaultKind kind, byte endpoint)
    {
        foreach ((FaultRule rule, _) in _current)
            if (rule.Kind == kind && IsFor(rule, endpoint))
                return true;
        return false;
    }

    /// <summary>Returns the rule that applies to an attempt to submit a URB. Null if there is none.</summary>
    internal FaultRule? FindAtSubmission(byte endpoint, long attempt) => Find(endpoint, attempt, static rule => rule.IsAtSubmission);

    /// <summary>Returns the rule that applies to a URB. Null if there is none.</summary>
    internal FaultRule? Find(byte endpoint, long urb) => Find(endpoint, urb, static rule => !rule.IsAtSubmission && rule.Kind != FaultKind.Packets);

    /// <summary>Returns the fault of an isochronous packet. Null if the packet has none.</summary>
    internal IsoFault? FindPacket(byte endpoint, long packet)
    {
        foreach ((FaultRule rule, int number) in _current)
            if (rule.Kind == FaultKind.Packets && IsFor(rule, endpoint) && packet >= rule.First
                && rule.PacketFault(packet - rule.First) is { } fault && Hits(rule, number, endpoint, packet))
            {
                return fault;
            }

        return null;
    }

    internal void Record(in InjectedFault fault)
    {
        lock (_lock)
            _faults.Add(fault);
        FaultInjected?.Invoke(fault);
    }

    private static bool IsFor(FaultRule rule, byte endpoint) => rule.Endpoint is { } one ? one == endpoint : endpoint != 0;

    private static void CheckHost(FaultRule rule, VirtualBusHost host)
    {
        if (rule.IsAtSubmission && host == VirtualBusHost.Kernel)
            throw new PlatformNotSupportedException("The kernel decides itself about each submission: USB/IP has no message with which a bus could refuse a submission.");
    }

    private FaultRule? Find(byte endpoint, long urb, Predicate<FaultRule> applies)
    {
        foreach ((FaultRule rule, int number) in _current)
            if (applies(rule) && IsFor(rule, endpoint) && urb >= rule.First && Hits(rule, number, endpoint, urb))
                return rule;
        return null;
    }

    private bool Hits(FaultRule rule, int number, byte endpoint, long urb)
    {
        if ((urb - rule.First) % rule.Every != 0 || (rule.Probability < 1 && Draw(number, endpoint, urb) >= rule.Probability))
            return false;
        if (rule.Limit == long.MaxValue)
            return true;
        lock (_lock)
        {
            long hits = _hits.GetValueOrDefault(rule);
            if (hits >= rule.Limit)
                return false;
            _hits[rule] = hits + 1;
            return true;
        }
    }

    /// <summary>Returns a pseudo-random number from 0 to 1 that depends only on the arguments and the seed.</summary>
    private double Draw(int rule, byte endpoint, long urb)
    {
        ulong state = Mix((uint)Seed);
        state = Mix(state ^ (uint)rule);
        state = Mix(state ^ endpoint);
        state = Mix(state ^ (ulong)urb);
        return (state >> 11) * (1.0 / (1UL << 53));
    }

    // Multiplications by odd constants and shifts make each bit of the result depend on each bit of the argument.
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 32)) * 0xD6E8FEB86659FD93;
        value = (value ^ (value >> 29)) * 0xA0761D6478BD642F;
        return value ^ (value >> 32);
    }
}
