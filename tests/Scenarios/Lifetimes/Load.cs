namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Represents the transfers of one run. At <see cref="Moment.InCallback"/>, the act occurs in the callback of the first transfer.</summary>
public sealed class Load
{
    private readonly string _name;

    private Load(string name, params Cargo[] cargos)
    {
        _name = name;
        Cargos = cargos;
    }

    /// <summary>Gets a load without transfers, for tests that create their own transfers.</summary>
    public static Load Nothing { get; } = new("nothing");

    /// <summary>Gets a load with one transfer of each kind.</summary>
    public static Load Everything { get; } = new("one of everything", Enum.GetValues<Cargo>());

    // One call that handles events processes at most 26 completions of a device. The completions of this load therefore need several calls.
    private static readonly Load s_many = new("30 bulk transfers", [.. Enumerable.Repeat(Cargo.Bulk, 30)]);

    private static readonly Load[] s_all = [Everything, .. Enum.GetValues<Cargo>().Select(cargo => new Load($"{cargo} alone", cargo)), s_many];

    /// <summary>
    /// Gets the loads with which the tests run the given act. The first load contains every kind of transfer. A run that has time for only one load uses the
    /// first load.
    /// </summary>
    public static IReadOnlyList<Load> For(Act act) =>
        act == Act.Unplug ? [Everything, s_many] // attaching the device again takes a hundred times as long as the rest of a run
        : s_all;

    public IReadOnlyList<Cargo> Cargos { get; }

    public override string ToString() => _name;
}
