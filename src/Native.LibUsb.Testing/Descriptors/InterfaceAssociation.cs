namespace Native.LibUsb.Testing;

/// <summary>Represents an interface association descriptor, which groups interfaces into one function.</summary>
/// <param name="FirstInterface">The number of the function's first interface.</param>
/// <param name="InterfaceCount">The number of interfaces in the function. Their numbers are consecutive.</param>
/// <param name="Class"><c>bFunctionClass</c>.</param>
/// <param name="Subclass"><c>bFunctionSubClass</c>.</param>
/// <param name="Protocol"><c>bFunctionProtocol</c>.</param>
public sealed record InterfaceAssociation(byte FirstInterface, byte InterfaceCount, byte Class, byte Subclass = 0, byte Protocol = 0)
{
    /// <summary>Gets or sets the function's string.</summary>
    public UsbText? Name { get; init; }

    internal void Write(List<byte> to, StringTable strings) =>
        to.AddRange([8, 11, FirstInterface, InterfaceCount, Class, Subclass, Protocol, strings.Index(Name)]);
}
