using System.Buffers.Binary;

namespace Native.LibUsb;

// The methods that read string descriptors. The device has its strings in UTF-16, in one or more languages.
public sealed partial class UsbDeviceHandle
{
    private const int MaxStringDescriptor = 255;
    private const byte StringDescriptorType = 3;

    /// <summary>Gets the languages of the device's strings, as Windows language identifiers: 0x0409 is English (United States).</summary>
    /// <returns>The languages. The array is empty if the device has no strings.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Timeout"/>: the device did not answer. <see cref="UsbError.NoDevice"/>: the device was unplugged.
    /// </exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public ushort[] GetLanguages()
    {
        UsbError error = TryGetLanguages(out ushort[] languages);
        if (error is not (UsbError.Success or UsbError.Pipe))
            UsbException.Throw(error, $"read the languages of {Device}");
        return languages;
    }

    /// <summary>Reads one of the device's strings.</summary>
    /// <remarks>
    /// Some devices pad their strings with NULs. The method removes NULs at the end of the text, but not NULs between other characters. A surrogate that is not
    /// part of a pair becomes U+FFFD.
    /// </remarks>
    /// <param name="index">
    /// The string's index, such as <see cref="UsbDeviceDescriptor.ProductIndex"/>. The index 0 means that there is no string.
    /// </param>
    /// <param name="language">The language; 0 selects the device's first language.</param>
    /// <returns>The text. The result is null if the index is 0, or if the device does not have this string.</returns>
    /// <exception cref="UsbException">
    /// The device did not answer, or its answer is not a string descriptor (<see cref="UsbError.IO"/>).
    /// </exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public string? GetString(byte index, ushort language = 0)
    {
        UsbError error = TryGetString(index, out string? text, language);
        if (error is not (UsbError.Success or UsbError.Pipe or UsbError.NotFound))
            UsbException.Throw(error, $"read string {index} of {Device}");
        return text;
    }

    /// <summary>Reads a string as <see cref="GetString"/> does, but returns the error instead of throwing it.</summary>
    /// <param name="index">The string's index, such as <see cref="UsbDeviceDescriptor.ProductIndex"/>. The index 0 means that there is no string.</param>
    /// <param name="text">The text; null if there is none.</param>
    /// <param name="language">The language; 0 selects the device's first language.</param>
    /// <returns>
    /// <see cref="UsbError.Success"/>, or the error. <see cref="UsbError.NotFound"/>: the index is 0, or the device returns an empty list of languages.
    /// <see cref="UsbError.Pipe"/>: the device rejects the request, because it does not have this string or has no strings at all. <see cref="UsbError.IO"/>:
    /// the answer is not a string descriptor. Other errors: the device did not answer.
    /// </returns>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The handle is disposed.</exception>
    public UsbError TryGetString(byte index, out string? text, ushort language = 0)
    {
        text = null;
        if (index == 0)
            return UsbError.NotFound;
        if (language == 0)
        {
            UsbError languageError = TryGetLanguages(out ushort[] languages);
            if (languageError != UsbError.Success)
                return languageError;
            if (languages.Length == 0)
                return UsbError.NotFound;
            language = languages[0];
        }

        Span<byte> buffer = stackalloc byte[MaxStringDescriptor];
        UsbError error = ReadStringDescriptor(index, language, buffer, out ReadOnlySpan<byte> content);
        if (error == UsbError.Success)
            text = StringDescriptor.Decode(content);
        return error;
    }

    private UsbError TryGetLanguages(out ushort[] languages)
    {
        languages = [];
        Span<byte> buffer = stackalloc byte[MaxStringDescriptor];
        UsbError error = ReadStringDescriptor(0, 0, buffer, out ReadOnlySpan<byte> content);
        if (error != UsbError.Success)
            return error;
        languages = new ushort[content.Length / sizeof(ushort)];
        for (int i = 0; i < languages.Length; i++)
            languages[i] = BinaryPrimitives.ReadUInt16LittleEndian(content[(i * sizeof(ushort))..]);
        return UsbError.Success;
    }

    /// <summary>Reads one string descriptor, and checks that the answer is a string descriptor.</summary>
    private UsbError ReadStringDescriptor(byte index, ushort language, Span<byte> buffer, out ReadOnlySpan<byte> content)
    {
        content = default;
        var setup = new UsbControlSetup(
            UsbDirection.In, UsbRequestKind.Standard, UsbRecipient.Device, GetDescriptorRequest, (ushort)((StringDescriptorType << 8) | index), language);
        UsbError error = TryControlRead(setup, buffer, out int received, s_descriptorTimeout);
        if (error != UsbError.Success)
            return error;
        if (received < 2 || buffer[1] != StringDescriptorType || buffer[0] < 2 || buffer[0] > received)
            return UsbError.IO;
        content = buffer[2..buffer[0]];
        return UsbError.Success;
    }
}
