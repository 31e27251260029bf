namespace Native.LibUsb.Tests;

/// <summary>Represents a scenario that cannot run on a real kernel's vhci_hcd. docs/tested-systems.md lists all these scenarios.</summary>
/// <param name="reason">The reason why the scenario cannot run on vhci_hcd.</param>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
public sealed class PreloadOnlyAttribute(string reason) : Attribute
{
    /// <summary>
    /// Gets or sets a text that selects theory rows. A row that contains this text cannot run on vhci_hcd. If the text is null, no row can run on vhci_hcd.
    /// </summary>
    public string? Rows { get; init; }

    public string Reason { get; } = reason;
}
