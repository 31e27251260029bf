namespace Native.LibUsb.Testing;

/// <summary>Represents an interface association descriptor: interfaces that are one function.</summary>
/// <param name="FirstInterface">The first interface of the function.</param>
/// <param name="InterfaceCount">How many interfaces, with numbers that follow each other.</param>
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
