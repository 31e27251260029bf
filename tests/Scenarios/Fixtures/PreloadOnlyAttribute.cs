namespace Native.LibUsb.Tests;

/// <summary>Represents a scenario that cannot run on a real kernel's vhci_hcd. docs/tested-systems.md lists all these scenarios.</summary>
/// <param name="reason">The reason why the scenario cannot run on vhci_hcd.</param>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class)]
public sealed class PreloadOnlyAttribute(string reason) : Attribute
{
    /// <summary>
    /// Gets or sets the text that identifies the affected rows of a theory. The attribute applies only to rows whose arguments contain this text. If the
    /// property is null, the attribute applies to all rows.
    /// </summary>
    public string? Rows { get; init; }

    public string Reason { get; } = reason;
}
