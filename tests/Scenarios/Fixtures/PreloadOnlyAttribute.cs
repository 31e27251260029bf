namespace Native.LibUsb.Tests;

/// <summary>Represents a scenario that cannot run on a real kernel's vhci_hcd. docs/tested-systems.md lists each of these exceptions.</summary>
/// <param name="reason">The reason why it cannot run there.</param>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
public sealed class PreloadOnlyAttribute(string reason) : Attribute
{
    /// <summary>Gets or sets a part of the text of the theory rows that cannot run there; null when no row can.</summary>
    public string? Rows { get; init; }

    public string Reason { get; } = reason;
}
