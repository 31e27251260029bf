namespace Native.LibUsb;

/// <summary>Represents interfaces that belong together as one function of a composite device.</summary>
/// <param name="FirstInterface"><c>bFirstInterface</c>.</param>
/// <param name="InterfaceCount"><c>bInterfaceCount</c>: how many interfaces that follow each other.</param>
/// <param name="FunctionClass"><c>bFunctionClass</c>.</param>
/// <param name="FunctionSubClass"><c>bFunctionSubClass</c>.</param>
/// <param name="FunctionProtocol"><c>bFunctionProtocol</c>.</param>
/// <param name="StringIndex"><c>iFunction</c>: number of the string; 0 is none.</param>
public readonly record struct UsbInterfaceAssociation(
    byte FirstInterface, byte InterfaceCount, byte FunctionClass, byte FunctionSubClass, byte FunctionProtocol, byte StringIndex)
{
    private const byte DescriptorType = 0x0b;
    private const int Size = 8;

    /// <summary>
    /// Adds the associations among extra descriptors. libusb leaves them where they stood: after the configuration's descriptor, or after the
    /// last descriptor before the interface they begin with. libusb 1.0.27 has a function for them; this works with every version.
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
