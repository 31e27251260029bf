using System.Runtime.InteropServices;

namespace Native.LibUsb.Testing;

/// <summary>Assigns an index to each text of a device, and answers string requests.</summary>
internal sealed class StringTable(IReadOnlyList<ushort> languages, IReadOnlyDictionary<byte, ReadOnlyMemory<byte>> raw)
{
    private const int HeaderSize = 2, Type = 3;
    private const ushort AmericanEnglish = 0x0409;

    private readonly List<UsbText> _texts = [];

    /// <summary>Returns the index of a text: 0 if there is no text, and the same index for equal texts.</summary>
    public byte Index(UsbText? text)
    {
        if (text is null)
            return 0;
        int found = _texts.IndexOf(text);
        if (found >= 0)
            return (byte)(found + 1);
        if (_texts.Count == 255)
            throw new InvalidOperationException("A device has at most 255 strings.");
        _texts.Add(text);
        return (byte)_texts.Count;
    }

    /// <summary>
    /// Returns the string descriptor for an index and a language. If the descriptor does not exist, the method returns null, and the device stalls the request.
    /// </summary>
    public byte[]? Descriptor(byte index, ushort language)
    {
        if (raw.TryGetValue(index, out ReadOnlyMemory<byte> bytes))
            return bytes.ToArray();
        if ((_texts.Count == 0 && raw.Count == 0) || languages.Count == 0)
            return null;
        if (index == 0)
            return [(byte)(HeaderSize + (languages.Count * 2)), Type, .. languages.SelectMany(BitConverter.GetBytes)];
        if (index > _texts.Count || !languages.Contains(language))
            return null;
        UsbText text = _texts[index - 1];
        if (text.RawBytes is { } rawText)
            return rawText.ToArray();
        // The code units are copied unchanged: an encoder would replace a lone surrogate.
        ReadOnlySpan<byte> units = MemoryMarshal.AsBytes(text[language].AsSpan());
        return [(byte)(HeaderSize + units.Length), Type, .. units];
    }

    /// <summary>
    /// Returns the text that a host's kernel derives from a string descriptor and shows in sysfs. Null if the kernel shows no text.
    /// </summary>
    /// <remarks>The kernel reads the string in the first language of the device, ends the text at the first NUL, and leaves out lone surrogates.</remarks>
    public string? SystemText(byte index)
    {
        ushort language = Descriptor(0, 0) is [_, _, byte low, byte high, ..] ? (ushort)(low | (high << 8)) : AmericanEnglish;
        if (index == 0 || Descriptor(index, language) is not { Length: >= HeaderSize } descriptor)
            return null;
        int length = Math.Min((int)descriptor[0], descriptor.Length) & ~1;
        if (length < HeaderSize || descriptor[1] != Type)
            return null;
        ReadOnlySpan<char> units = MemoryMarshal.Cast<byte, char>(descriptor.AsSpan(HeaderSize..length));
        int end = units.IndexOf('\0');
        string text = WithoutLoneSurrogates(end < 0 ? units : units[..end]);
        return text.Length > 0 ? text : null;
    }

    private static string WithoutLoneSurrogates(ReadOnlySpan<char> units)
    {
        List<char> kept = [];
        for (int i = 0; i < units.Length; i++)
            if (!char.IsSurrogate(units[i]))
                kept.Add(units[i]);
            else if (char.IsHighSurrogate(units[i]) && i + 1 < units.Length && char.IsLowSurrogate(units[i + 1]))
                kept.AddRange([units[i], units[++i]]);
        return new string([.. kept]);
    }
}
