namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Represents the transfers that share a fate. The first of them is the one whose callback acts, where a callback of theirs does.</summary>
public sealed class Load
{
    private readonly string _name;

    private Load(string name, params Cargo[] cargos)
    {
        _name = name;
        Cargos = cargos;
    }

    /// <summary>For tests that bring their own.</summary>
    public static Load Nothing { get; } = new("nothing");

    /// <summary>Gets one of each kind.</summary>
    public static Load Everything { get; } = new("one of everything", Enum.GetValues<Cargo>());

    // libusb hands back 26 of a device in one go: with more, events must be handled more than once.
    private static readonly Load s_many = new("30 bulk transfers", [.. Enumerable.Repeat(Cargo.Bulk, 30)]);

    private static readonly Load[] s_all = [Everything, .. Enum.GetValues<Cargo>().Select(cargo => new Load($"{cargo} alone", cargo)), s_many];

    /// <summary>Gets the loads to try with an act, the one with most in it first: who has time for one only takes that.</summary>
    public static IReadOnlyList<Load> For(Act act) =>
        act == Act.Unplug ? [Everything, s_many] // to plug the device in again takes a hundred times as long as all the rest
        : s_all;

    public IReadOnlyList<Cargo> Cargos { get; }

    public override string ToString() => _name;
}
