namespace Native.LibUsb.Tests;

/// <summary>Represents a scenario that cannot be played on a real kernel's vhci_hcd. Each one is an exception, which docs/tested-systems.md lists.</summary>
/// <param name="reason">Why.</param>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
public sealed class PreloadOnlyAttribute(string reason) : Attribute
{
    /// <summary>Gets or sets a part of the text of those rows of a theory that cannot; null when none can.</summary>
    public string? Rows { get; init; }

    public string Reason { get; } = reason;
}
