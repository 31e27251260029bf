namespace Native.LibUsb.Interop;

/// <summary>
/// Addresses of the functions that not every libusb has. The generated half of this class lists them, this half finds them.
/// </summary>
/// <remarks>
/// They cannot be plain imports: a static program that imports a function its archive lacks does not link, and the exception of a dynamic one
/// does not say what to install. They are found by name and never by version, since libusb has gained functions without a new number.
/// </remarks>
internal static unsafe partial class OptionalExports
{
    // Marks a function that the library lacks; 0 marks a function that no lookup has searched for yet.
    private const nint Absent = -1;

    /// <summary>Gets the address of an optional function.</summary>
    /// <param name="index">The function: one of the generated constants.</param>
    /// <exception cref="UsbNotSupportedException">The loaded libusb does not have it.</exception>
    internal static void* Get(int index)
    {
        nint address = Find(index);
        if (address == Absent)
            throw Missing(index);
        return (void*)address;
    }

    /// <summary>Returns whether the loaded libusb has an optional function.</summary>
    internal static bool IsAvailable(int index) => Find(index) != Absent;

    private static nint Find(int index)
    {
        ref nint known = ref Known.Addresses[index];
        nint address = Volatile.Read(ref known);
        if (address != 0)
            return address;
        if (!LibraryLoader.TryGetExport(s_names[index], out address))
            address = Absent;
        Volatile.Write(ref known, address);
        return address;
    }

    private static UsbNotSupportedException Missing(int index) =>
        new(s_names[index], System.Version.Parse(s_versions[index]), LibraryLoader.Version, LibraryLoader.ReasonForNoExports);

    // A class of its own, since C# does not say whether the fields of the other file of this class are set before those of this file.
    private static class Known
    {
        // One word per function. Writes race only with equal writes, as the loaded library does not change.
        internal static readonly nint[] Addresses = new nint[s_names.Length];
    }
}
