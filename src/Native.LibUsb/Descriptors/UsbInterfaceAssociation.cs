namespace Native.LibUsb;

/// <summary>Represents an interface association: consecutive interfaces that form one function of a composite device.</summary>
/// <param name="FirstInterface"><c>bFirstInterface</c>.</param>
/// <param name="InterfaceCount"><c>bInterfaceCount</c>: the number of consecutive interfaces.</param>
/// <param name="FunctionClass"><c>bFunctionClass</c>.</param>
/// <param name="FunctionSubClass"><c>bFunctionSubClass</c>.</param>
/// <param name="FunctionProtocol"><c>bFunctionProtocol</c>.</param>
/// <param name="StringIndex"><c>iFunction</c>: the index of the string; 0 if there is none.</param>
public readonly record struct UsbInterfaceAssociation(
    byte FirstInterface, byte InterfaceCount, byte FunctionClass, byte FunctionSubClass, byte FunctionProtocol, byte StringIndex)
{
    private const byte DescriptorType = 0x0b;
    private const int Size = 8;

    /// <summary>
    /// Finds the interface associations in the extra descriptors, and adds them to a list. libusb stores each association in the extra bytes of the descriptor
    /// that precedes the association: the configuration descriptor, an interface descriptor or an endpoint descriptor. libusb 1.0.27 has a function that
    /// returns the associations, but this method works with every version of libusb.
    /// </summary>
    internal static void Collect(ReadOnlySpan<byte> extra, List<UsbInterfaceAssociation> to)
    {
        foreach (ReadOnlySpan<byte> descriptor in new UsbExtraDescriptors(extra))
        {
            if (descriptor[1] == DescriptorType && descriptor.Length >= Size)
                to.Add(new UsbInterfaceAssociation(descriptor[2], descriptor[3], descriptor[4], descriptor[5], descriptor[6], descriptor[7]));
        }
    }
}
